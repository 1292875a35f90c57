/* host.h - what a host does to segments: room in /dev/shm, and logind's RemoveIPC. */
#ifndef ILK_TOOLS_HOST_H
#define ILK_TOOLS_HOST_H

#include <stdint.h>

enum remove_ipc { REMOVE_IPC_UNSET, REMOVE_IPC_NO, REMOVE_IPC_YES };

struct host {
	uint64_t bytes, bytes_free; /* of /dev/shm; 0: without a limit, or unknown */
	uint64_t files, files_free;
	enum remove_ipc remove_ipc; /* what logind.conf(5) says; unset means yes */
	char remove_ipc_file[300];  /* which says so; "" none */
	int has_logind;             /* systemd-logind runs */
	int of_users;               /* segments of users whom RemoveIPC is about */
};

enum { HOST_LAST_SYSTEM_UID = 999 }; /* those of up to here RemoveIPC leaves alone */

/* Looks. ROOT is "", or a folder that stands for '/'. `of_users` is for the caller to fill. */
void host_look(struct host *host, const char *root);

#endif
