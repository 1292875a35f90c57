/*
 * symbol.c - reads our own symbol table, static functions included; other files by their exports.
 *
 * Addresses are those of any child: forked, they have the mappings that we have.
 */
#include "symbol.h"
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const Elf64_Ehdr *own_file(void)
{
	static const Elf64_Ehdr *file;
	int fd = file ? -1 : open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat s;
	void *at;

	if (fd < 0 || fstat(fd, &s) < 0)
		return file;
	at = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (at != MAP_FAILED)
		file = at;
	return file;
}

static const Elf64_Shdr *find_section(const Elf64_Ehdr *file, uint32_t type)
{
	const Elf64_Shdr *sections = (const void *)((const char *)file + file->e_shoff);

	for (int i = 0; i < file->e_shnum; i++)
		if (sections[i].sh_type == type)
			return &sections[i];
	return NULL;
}

/* The function of our own file that OFFSET lies in, or NULL. */
static const char *own_function(uint64_t offset, uint64_t *into)
{
	const Elf64_Ehdr *file = own_file();
	const Elf64_Shdr *table = file ? find_section(file, SHT_SYMTAB) : NULL;
	const Elf64_Shdr *sections;
	const Elf64_Sym *symbols;

	if (!table)
		return NULL;
	sections = (const void *)((const char *)file + file->e_shoff);
	symbols = (const void *)((const char *)file + table->sh_offset);
	for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
		const Elf64_Sym *s = &symbols[i];

		*into = offset - s->st_value;
		if (ELF64_ST_TYPE(s->st_info) == STT_FUNC && *into < s->st_size)
			return (const char *)file + sections[table->sh_link].sh_offset + s->st_name;
	}
	return NULL;
}

void symbol_describe(uint64_t address, char *text, size_t size)
{
	const char *function, *file;
	uint64_t offset, into = 0;
	struct link_map *map;
	Dl_info info;

	if (!dladdr1((void *)address, &info, (void **)&map, RTLD_DL_LINKMAP)) {
		snprintf(text, size, "%#lx", address);
		return;
	}
	offset = address - map->l_addr;
	file = strrchr(info.dli_fname, '/');
	file = file ? file + 1 : info.dli_fname;
	function = *map->l_name ? NULL : own_function(offset, &into);
	if (!function && info.dli_sname) {
		function = info.dli_sname;
		into = address - (uint64_t)info.dli_saddr;
	}
	snprintf(text, size, "%s+%#lx (%s+%#lx)", function ? function : "?", into, file, offset);
}
