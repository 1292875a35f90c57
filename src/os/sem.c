/* sem.c - sem_init(3), sem_open(3). */
#include "os/sem.h"
#include "os/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int ilk_sem_known_(void)
{
#if defined(__GLIBC__) && UINTPTR_MAX == UINT64_MAX
	sem_t probe;

	/* One look at the value's place; how sleepers are counted, a test looks at. */
	if (sem_init(&probe, 1, 3) == 0 && sem_post(&probe) == 0 && *ilk_sem_word_(&probe) == 4)
		return 0;
#endif
	return -ENOSYS;
}

int ilk_sem_init_(sem_t *sem, unsigned value)
{
	return sem_init(sem, 1, value) == 0 ? 0 : -errno;
}

int ilk_sem_open_(const char *name, int flags, unsigned mode, unsigned value, sem_t **sem)
{
	int how =
		(flags & ILK_SEM_CREATE_ ? O_CREAT : 0) | (flags & ILK_SEM_EXCLUSIVE_ ? O_EXCL : 0);
	int cancel = ilk_cancel_off_();
	int rc;

	*sem = sem_open(name, how, (mode_t)mode, value);
	rc = *sem == SEM_FAILED ? -errno : 0;
	ilk_cancel_on_(cancel);
	return rc;
}
