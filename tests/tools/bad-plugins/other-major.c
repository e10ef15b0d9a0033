/* SPDX-License-Identifier: GPL-2.0-or-later */
/* other-major.c - made for the ABI after this one: another symbol. */
extern const int flowgate_plugin_v2;
const int flowgate_plugin_v2 = 2;
