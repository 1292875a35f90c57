/* object_name.h - the names of objects: what may be one, and its hash. */
#ifndef ILK_SEGMENT_OBJECT_NAME_H
#define ILK_SEGMENT_OBJECT_NAME_H

#include <stdint.h>

/* Can NAME be an object's: 1 to 63 bytes of printable UTF-8? 0; -EINVAL; -ENAMETOOLONG. */
int ilk_name_check_(const char *name);

/* Is TEXT UTF-8 without control characters? */
int ilk_name_is_printable_(const char *text);

uint32_t ilk_name_hash_(const char *name);

#endif
