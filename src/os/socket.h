/* socket.h - passing a descriptor over a Unix socket. */
#ifndef ILK_OS_SOCKET_H
#define ILK_OS_SOCKET_H

/* Sends FD with one byte. 0; -E... No SIGPIPE. */
int ilk_socket_send_(int socket, int fd);

/* Receives one. The descriptor, closed on exec; -ENODATA the peer has closed; -EBADMSG; -E... */
int ilk_socket_receive_(int socket);

#endif
