/* Text as it stands in ids: what could be taken for a separator is written as %XX. */
#ifndef RM_BASE_ID_H
#define RM_BASE_ID_H

#include "runner/base/buf.h"

/* One value in an id: all bytes outside [A-Za-z0-9_.:/+-] as %XX; containers as compact JSON first. */
void id_escape(struct buf *out, struct str text);
/* Backwards; a '%' that begins no escape stands for itself. */
void id_unescape(struct buf *out, struct str text);

#endif
