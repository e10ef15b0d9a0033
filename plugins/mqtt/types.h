/* SPDX-License-Identifier: GPL-2.0-or-later */
/* types.h - what the plugin has to offer. */
#ifndef FG_MQTT_TYPES_H
#define FG_MQTT_TYPES_H

#include <flowgate/plugin.h>

extern const struct fg_input_type fg_mqtt_input;
extern const struct fg_target_type fg_mqtt_target;

#define FG_MQTT_TOPIC_IN  "flowgate/+/+/flows"
#define FG_MQTT_STATE_IN  "flowgate/+/state"
#define FG_MQTT_TOPIC_OUT "flowgate/SITE/SOURCE/flows"
#define FG_MQTT_STATE_OUT "flowgate/SITE/state"

/* What a probe says of itself, retained on its state topic. */
#define FG_MQTT_ONLINE	"online"
#define FG_MQTT_OFFLINE "offline"

#endif
