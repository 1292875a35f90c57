/* diagnosis_host.c - of files that are no segments, and of the host. */
#include "ilk/diagnosis.h"
#include "ilk/diagnosis_tell.h"
#include "ilk/term.h"
#include <errno.h>
#include <stdarg.h>

/* --- telling --- */

void diagnosis_tell(struct diagnoses *all, struct diagnosis *d)
{
	*(d->is_note ? &all->notes : &all->wrong) += 1;
	all->each(d, all->arg);
}

void diagnosis_put(char *out, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(out, size, format, arguments);
	va_end(arguments);
}

/* --- what is no segment --- */

void diagnose_failure(struct diagnoses *all, const char *name, int result, const char *particulars,
	const char *mapped_by)
{
	const char *folder = diagnosis_folder(name);
	struct diagnosis d = {.segment = name};

	EVIDENCE(&d, "%s; mapped by: %s", particulars[0] ? particulars : ilk_strerror(result),
		mapped_by);
	switch (result) {
	case -EPROTO:
		d.kind = "other layout";
		CURE(&d,
			"use the ilk of the build that made it; or, if nobody has it mapped: ilk rm %s",
			name);
		break;
	case -EBADMSG:
		d.kind = "damaged header";
		CURE(&d, "keep a copy of %s%s for who looks into it, and remove it: ilk rm %s",
			folder, name, name);
		break;
	case -EMEDIUMTYPE:
		d.kind = "no segment";
		CURE(&d, "such names are for segments; if nobody needs the file: rm %s%s", folder,
			name);
		break;
	case -EACCES:
		d.kind = "not readable";
		d.is_note = 1;
		CURE(&d, "look at it as its owner, or as root");
		break;
	default:
		d.kind = "cannot be inspected";
		CURE(&d, "try again");
	}
	diagnosis_tell(all, &d);
}

/* --- the host --- */

static void look_at_shm(struct diagnoses *all, const struct host *h)
{
	struct diagnosis d = {.kind = "/dev/shm nearly full"};
	char used[TERM_TEXT], bytes[TERM_TEXT];
	int by_bytes = diagnosis_is_nearly(h->bytes - h->bytes_free, h->bytes);

	if (by_bytes)
		EVIDENCE(&d, "%s of %s are taken; who makes a segment is told -ENOSPC",
			term_bytes(used, h->bytes - h->bytes_free), term_bytes(bytes, h->bytes));
	else if (diagnosis_is_nearly(h->files - h->files_free, h->files))
		EVIDENCE(&d, "%llu of %llu files are there; who makes one is told -ENOSPC",
			(unsigned long long)(h->files - h->files_free),
			(unsigned long long)h->files);
	else
		return;
	CURE(&d,
		"see what is there (ilk ls --all), remove what nobody is in (ilk gc), or let it "
		"grow: mount -o remount,%s= /dev/shm",
		by_bytes ? "size" : "nr_inodes");
	diagnosis_tell(all, &d);
}

static void look_at_remove_ipc(struct diagnoses *all, const struct host *h)
{
	struct diagnosis d = {.kind = "RemoveIPC"};
	int concerns = h->has_logind && h->of_users > 0;

	if (h->remove_ipc == REMOVE_IPC_NO || (h->remove_ipc == REMOVE_IPC_UNSET && !h->has_logind))
		return;
	d.is_note = !concerns;
	EVIDENCE(&d,
		"%s%s: when a user's last session ends, logind removes all that the user has in "
		"/dev/shm, whoever has it mapped; %d segments here are of such users%s",
		h->remove_ipc == REMOVE_IPC_YES ? "it is set in " : "it is not set, and means yes",
		h->remove_ipc_file, h->of_users, h->has_logind ? "" : "; logind does not run");
	CURE(&d, "RemoveIPC=no under [Login] in /etc/systemd/logind.conf.d/ilk.conf; or `loginctl "
		 "enable-linger USER`; or run as a system user");
	diagnosis_tell(all, &d);
}

void diagnose_host(struct diagnoses *all, const struct host *host)
{
	look_at_shm(all, host);
	look_at_remove_ipc(all, host);
}
