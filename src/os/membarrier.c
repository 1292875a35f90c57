/* membarrier.c - membarrier(2), expedited, over all registered processes. */
#include "os/membarrier.h"
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int registered;

int ilk_membarrier_register_(void)
{
	if (!registered)
		registered = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0,
				     0) == 0;
	return registered ? 0 : -ENOTSUP;
}

void ilk_membarrier_(void)
{
	/* A handshake without its fence could lose a wake-up or a lock: a broken private invariant.
	 */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) != 0)
		abort();
}
