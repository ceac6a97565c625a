/* The room's door: what is put around one process. */
#ifndef RM_HARNESS_HARNESS_H
#define RM_HARNESS_HARNESS_H

#include "runner/base/address.h"
#include "runner/harness/capture.h"
#include "runner/harness/cgroup.h"
#include "runner/harness/contain.h"
#include "runner/harness/relay.h"
#include "runner/harness/watch.h"

#endif
