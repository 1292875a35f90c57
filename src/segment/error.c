/* error.c - what a result means and what to do next; the thread's last particulars; the version. */
#include "segment/error.h"
#include <errno.h>
#include <ilk/base.h>
#include <stdarg.h>
#include <stdio.h>

static __thread char particulars[200];
static __thread unsigned failures;

int ilk_fail_(int result, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(particulars, sizeof particulars, format, arguments);
	va_end(arguments);
	failures++;
	return result;
}

unsigned ilk_failures_(void)
{
	return failures;
}

int ilk_conclude_(int rc, unsigned before, const char *name)
{
	return rc < 0 && failures == before ? ilk_fail_(rc, "%s", name ? name : "") : rc;
}

const char *ilk_last_error(void)
{
	return particulars;
}

const char *ilk_version(void)
{
	return ILK_VERSION_STRING;
}

static const char *outcome(int bits)
{
	if (bits & ~(ILK_RECOVERED | ILK_TIMED_OUT | ILK_ELECTED | ILK_TASK_FAILED))
		return "Not a result of Ilk: check where the number comes from.";
	if (bits & ILK_RECOVERED)
		return "Held, but its last owner died in it: put the data right, then say so with "
		       "ilk_mutex_repaired() or its like.";
	if (bits & ILK_TIMED_OUT)
		return "The wait ran out and the mutex is held again: check the condition, then "
		       "unlock.";
	if (bits & ILK_TASK_FAILED)
		return "The task is over, without a result: its outcome says why.";
	return "Done, and the calling thread was chosen: do the work that one must do for all.";
}

static const struct {
	int error;
	const char *text;
} sentences[] = {
	{EPERM, "It is not the calling thread's, or not as it was asked for: only its holder may do "
		"this; see who that is with `ilk show`."},
	{ENOENT,
		"There is no segment or object of that name, no entry of that key, or no worker with "
		"that function: make it first, or wait for a segment with "
		"ilk_segment_open_until()."},
	{EEXIST, "It exists, and differs from what was asked or was to be new: use the same "
		 "parameters, another name, or remove it."},
	{EACCES,
		"Permission denied: ask the segment's owner for a wider mode, or run as its user."},
	{EAGAIN,
		"It was not there at that moment, or the value was another: look again, and retry."},
	{EBUSY, "A living owner holds it, or somebody is removing it: retry later, or lock with a "
		"deadline."},
	{EDEADLK,
		"The calling thread would wait for itself: let go of the lock, or of some permits, "
		"first, or make a mutex ILK_MUTEX_RECURSIVE."},
	{ETIMEDOUT, "The deadline passed first: retry with a later one, or see who is in the way "
		    "with `ilk show`."},
	{ECANCELED, "Another thread of this process closes the segment: stop using it."},
	{ESTALE,
		"The future was got or released already, or is another process's: get each once, in "
		"the process that submitted."},
	{EALREADY, "It is so already: there is nothing more to do."},
	{EIDRM, "Its name was removed while others had it open: open it anew, or stop using it."},
	{ERANGE,
		"Less is left than was to be counted, or an index is outside: see who has counted too "
		"much."},
	{ENOTRECOVERABLE,
		"The mutex was removed while the calling thread waited, and is not held: stop "
		"using what it guards."},
	{EPIPE, "A partner died, closed, ran out of time or gave up, or the queue or pool is closed: "
		"ask who, with ilk_ring_status() or ilk_barrier_status(); then wait for a successor, "
		"or reset the barrier, or leave."},
	{EMSGSIZE,
		"The message is larger than the largest that was agreed on, or than the buffer, or "
		"not of the fixed size: compare it with the options."},
	{EINVAL, "An argument is out of range, or the object lies in no attached segment: compare "
		 "the call with its header."},
	{ENAMETOOLONG,
		"The name is longer than 63 bytes, or the path or a map's key too long: shorten "
		"it."},
	{ENOTDIR, "The folder of that path is not there: make it, or use another path."},
	{ENOSPC, "There is no room: create the segment with more bytes, or free some of the file "
		 "system it lies on, /dev/shm mostly."},
	{EUSERS,
		"Every slot, or every place of a barrier, is taken by the living, or worn out: create "
		"the segment, or the barrier, with more."},
	{EROFS, "The attachment is read-only: open the segment without ILK_SEGMENT_READ_ONLY."},
	{EMEDIUMTYPE,
		"It is no Ilk segment, or its folder is not in memory (tmpfs, hugetlbfs): choose "
		"another name or folder, or remove the file."},
	{EPROTO, "The segment has another layout: use the same build of Ilk everywhere, or remove "
		 "the segment."},
	{EBADMSG, "The segment is damaged or a copy: look at it with `ilk show`, then remove it."},
	{ENOTSUP, "This process cannot use membarrier(2): create the segment with "
		  "ILK_SEGMENT_FENCED."},
	{EOVERFLOW, "It counts no further: unlock it, or wait for the semaphore, some times."},
	{ENOSYS,
		"The sem_t of this C library is not known to Ilk: use ilk/permits.h, or glibc on a "
		"64-bit processor."},
	{EBADF, "The segment's descriptor was closed, and it has no name to be opened by: keep it open "
		"over the fork, or use a named segment."},
	{ENODATA, "The other side has closed the connection: connect again."},
	{ENOMEM,
		"The system has no memory for it, or a limit forbids it: free some, or raise `ulimit "
		"-v` or `-l`."},
	{EMFILE, "This process has too many files open, or this thread reads 16 rwlocks: close or "
		 "unlock some, or raise `ulimit -n`."},
	{ECHILD,
		"It is no child, crew or task of this process, or another call has waited for it: use it "
		"where it was started, and do not wait for any child."},
	{ESRCH, "It has ended and was joined: start another."},
	{ENFILE, "The system has too many files open: close some, or raise fs.file-max."},
};

const char *ilk_strerror(int result)
{
	if (result == 0)
		return "Done.";
	if (result > 0)
		return outcome(result);
	for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
		if (result == -sentences[i].error)
			return sentences[i].text;
	return "The system refused, with an error that Ilk does not expect: look its number up in "
	       "errno(3).";
}
