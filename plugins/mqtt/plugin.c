/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plugin.c - flows from and to others, over a broker. */
#include "types.h"

static const struct fg_input_type *const inputs[] = {&fg_mqtt_input, NULL};
static const struct fg_target_type *const targets[] = {&fg_mqtt_target, NULL};

FG_PLUGIN = {
	FG_PLUGIN_HEADER("mqtt", FG_VERSION,
			 "reads flows from an MQTT broker, publishes to one"),
	.inputs = inputs,
	.targets = targets,
};
