/*
 * wordcount.c - counts words in all files of a folder: one stage finds files, two workers count, one adds up.
 *
 * Without an argument it makes a folder of its own. A file that cannot be read is left out.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ilk.h>

enum { FILES = 20, PATH = 512 };

struct total {
	unsigned long files, words;
};

struct counted {
	unsigned long words;
	char path[PATH];
};

/* Not every file system says what an entry is. */
static int is_file(DIR *folder, const struct dirent *one)
{
	struct stat s;

	if (one->d_type != DT_UNKNOWN)
		return one->d_type == DT_REG;
	return fstatat(dirfd(folder), one->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(s.st_mode);
}

/* The NUMBERth file, not more than that: so that it can be asked again. */
static int find_file(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	const char *folder = arg;
	DIR *all = opendir(folder);
	const struct dirent *one;
	uint64_t left = w->number + 1;
	char path[PATH] = "";

	(void)in, (void)bytes;
	if (!all)
		return -errno;
	while (left > 0 && (one = readdir(all)) != NULL) {
		if (!is_file(all, one))
			continue;
		left--;
		snprintf(path, sizeof path, "%s/%.200s", folder, one->d_name);
	}
	closedir(all);
	return left ? ILK_STAGE_END : ilk_work_send(w, path, strlen(path) + 1);
}

static int count_words(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	struct counted c = {.words = 0};
	FILE *f = fopen(in, "re");
	int character, inside = 0;

	(void)bytes, (void)arg;
	if (!f)
		return -errno;
	snprintf(c.path, sizeof c.path, "%s", (const char *)in);
	while ((character = getc(f)) != EOF) {
		c.words += !inside && !isspace(character);
		inside = !isspace(character);
	}
	fclose(f);
	return ilk_work_send(w, &c, sizeof c);
}

static int add_up(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	const struct counted *c = in;
	struct total *t = arg;

	(void)w, (void)bytes;
	t->files++;
	t->words += c->words;
	return 0;
}

static int make_folder(char *folder)
{
	char path[PATH];

	if (!mkdtemp(folder))
		return -1;
	for (int i = 0; i < FILES; i++) {
		FILE *f;

		snprintf(path, sizeof path, "%s/%d", folder, i);
		f = fopen(path, "we");
		for (int n = 0; f && n <= i; n++)
			fprintf(f, "so many words\n");
		if (!f || fclose(f) != 0)
			return -1;
	}
	return 0;
}

static void remove_folder(const char *folder)
{
	char path[PATH];

	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof path, "%s/%d", folder, i);
		unlink(path);
	}
	rmdir(folder);
}

static int count_all(struct ilk_segment *seg, char *folder, struct total *t)
{
	const struct ilk_stage stages[] = {
		{.name = "find", .body = find_file, .arg = folder, .out_bytes = PATH},
		{.name = "count",
			.body = count_words,
			.out_bytes = sizeof(struct counted),
			.workers = 2,
			.tries = 2,
			.flags = ILK_STAGE_SKIP},
		{.name = "add", .body = add_up, .arg = t},
	};
	struct ilk_pipeline *p;
	int rc = ilk_pipeline_start(seg, "words", stages, 3, NULL, &p);

	if (rc < 0)
		return rc;
	rc = ilk_pipeline_join(p, ILK_FOREVER);
	ilk_pipeline_end(p);
	return rc;
}

int main(int argc, char **argv)
{
	char own[] = "/tmp/ilk-words-XXXXXX", *folder = argc > 1 ? argv[1] : own;
	struct ilk_segment *seg;
	struct total *t;
	void *block;
	int rc;

	if (argc < 2 && make_folder(own) < 0)
		return 1;
	rc = ilk_segment_anonymous("words", NULL, &seg);
	if (rc == 0)
		rc = ilk_block_open(seg, "total", sizeof *t, &block);
	if (rc == 0)
		rc = count_all(seg, folder, block);
	if (argc < 2)
		remove_folder(own);
	if (rc < 0) {
		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
		return 1;
	}
	t = block;
	printf("%lu words in %lu files\n", t->words, t->files);
	ilk_segment_close(seg);
	return 0;
}
