/* The room's door: everything from yaml text to a plan of cases. Pure: no process, no clock, no file. */
#ifndef RM_MATRIX_MATRIX_H
#define RM_MATRIX_MATRIX_H

#include "matrix/cells/cells.h"
#include "matrix/expr/expr.h"
#include "matrix/plan/plan.h"
#include "matrix/schema/schema.h"
#include "matrix/select/pattern.h"
#include "matrix/select/select.h"
#include "matrix/suite/reference.h"
#include "matrix/suite/suite.h"
#include "matrix/suite/workflow.h"
#include "matrix/values/node.h"
#include "matrix/values/value.h"
#include "matrix/yaml/yaml.h"
#include "runner/base/id.h"

#endif
