/* Which variables of an environment hold what nobody is to see, by their names. */
#ifndef RM_BASE_SECRET_H
#define RM_BASE_SECRET_H

#include "runner/base/str.h"

#include <stdbool.h>

/* DB_PASSWORD, PGPASSWORD and api_key2, in either case; not TOKENIZERS_PARALLELISM, or SECRETARY. */
bool secret_is_name(struct str name);
/* Short numbers, and words for yes and no, are settings whatever they are called; hidden they would be so everywhere. */
bool secret_is_plain(struct str value);

#endif
