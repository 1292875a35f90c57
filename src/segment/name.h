/* name.h - what a segment is called, and where its file is. */
#ifndef ILK_SEGMENT_NAME_H
#define ILK_SEGMENT_NAME_H

#include "segment/layout.h"

enum { ILK_PATH_BYTES_ = 4096 };

/*
 * The path, from the root, of the file that NAME means: /dev/shm/ilk.NAME, or NAME itself if it has
 * a '/'. 0; -EINVAL; -ENAMETOOLONG; -E... of a working folder that is gone.
 */
int ilk_name_path_(const char *name, char path[ILK_PATH_BYTES_]);

/* The folder in which PATH is. */
void ilk_name_folder_(const char *path, char folder[ILK_PATH_BYTES_]);

/* What a segment at PATH calls itself: the path's last part, as far as it can be shown. */
void ilk_name_label_(const char *path, char label[ILK_NAME_BYTES_]);

#endif
