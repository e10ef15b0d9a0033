/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.c - runs a fuzz target over files and folders, without the engine, so
 * that every corpus is also a test.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	struct stat st;
	int err = -1;

	if (!f)
		return -1;
	/* exactly as long as the file, so that a read past it is seen */
	if (!fstat(fileno(f), &st))
		data = malloc(st.st_size ? (size_t)st.st_size : 1);
	if (data && fread(data, 1, (size_t)st.st_size, f) ==
			    (size_t)st.st_size) {
		LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
		replayed++;
		err = 0;
	}
	free(data);
	fclose(f);
	return err;
}

static int replay(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	char *name;
	int err = 0;

	if (!dir)
		return errno == ENOTDIR ? replay_file(path) : -1;
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (asprintf(&name, "%s/%s", path, e->d_name) < 0) {
			err = -1;
			break;
		}
		if (replay_file(name))
			err = -1;
		free(name);
	}
	closedir(dir);
	return err;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (replay(argv[i])) {
			fprintf(stderr, "%s: can't be replayed\n", argv[i]);
			return 1;
		}
	printf("%u inputs replayed\n", replayed);
	return replayed ? 0 : 1;
}
