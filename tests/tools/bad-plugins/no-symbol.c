/* SPDX-License-Identifier: GPL-2.0-or-later */
/* no-symbol.c - a shared object that is no plugin at all. */
int something_else(void);

int something_else(void)
{
	return 0;
}
