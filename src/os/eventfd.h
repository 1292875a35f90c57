/* eventfd.h - a descriptor that an event loop can wait for. */
#ifndef ILK_OS_EVENTFD_H
#define ILK_OS_EVENTFD_H

/* A new one, that does not block and ends with exec. -E... */
int ilk_eventfd_(void);

/* It is readable from here on, until it is read. */
void ilk_eventfd_ring_(int fd);

void ilk_eventfd_close_(int fd);

#endif
