/* header.h - what a segment's header must be, and where its parts lie. */
#ifndef ILK_SEGMENT_HEADER_H
#define ILK_SEGMENT_HEADER_H

#include "os/shm.h"
#include "segment/layout.h"
#include <ilk/segment.h>

/* Are these options in range? 0; -EINVAL. */
int ilk_options_check_(const struct ilk_segment_options *o);

/* The header of a new segment of whole pages, device and inode left open. 0; -EINVAL it is too
 * small. */
int ilk_header_plan_(const struct ilk_segment_options *o, const char *name, size_t page,
	struct ilk_header_ *header);

/*
 * Copies the header of the file behind FD and checks the copy. 0; -EMEDIUMTYPE; -EPROTO; -EBADMSG;
 * -E... ilk_last_error() names the field.
 */
int ilk_header_read_(int fd, struct ilk_header_ *header, struct ilk_file_facts_ *facts);

/* Is the file the one its header was written for, in this boot? 0; -EBADMSG: it is a copy. */
int ilk_header_is_original_(const struct ilk_header_ *header, const struct ilk_file_facts_ *facts);

/* Is an existing segment, in a file of such pages, what the options ask for? 0; -EEXIST. */
int ilk_header_fits_(
	const struct ilk_header_ *header, const struct ilk_segment_options *o, size_t page);

int ilk_header_is_asymmetric_(const struct ilk_header_ *header);
int ilk_header_is_transient_(const struct ilk_header_ *header);
int ilk_header_keeps_order_(const struct ilk_header_ *header);

#endif
