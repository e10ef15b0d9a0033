/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * topic.h - topics: who one is from, by the filter that it came through, and
 * what one is, by a template. Pure.
 */
#ifndef FG_MQTT_TOPIC_H
#define FG_MQTT_TOPIC_H

#include <flowgate/plugin.h>

/* With its NUL; of a topic of ours, and of what wildcards stand for. */
#define FG_TOPIC      512
#define FG_TOPIC_NAME 97

/* A sentence, or NULL when text can be subscribed to. */
const char *fg_topic_check_filter(const char *text);

/* What the wildcards of a filter stand for in a topic. */
struct fg_topic_match {
	char site[FG_TOPIC_NAME]; /* the first of them, "" without any */
	char name[FG_TOPIC_NAME]; /* all, "site/source"; the topic without any
				   */
};

/*
 * Does topic match filter? 0, -ENOENT when it does not, and -EINVAL when a name
 * of it is no name: empty, too long, with control characters.
 */
int fg_topic_match(const char *filter, const char *topic,
		   struct fg_topic_match *out);

/* A sentence, or NULL when text can be published to, SITE and SOURCE replaced.
 */
const char *fg_topic_check_template(const char *text);
/*
 * template with the levels SITE and SOURCE replaced by these names, of which
 * each character that can't be in a level (+ # / and control characters)
 * becomes '_'; a name that is empty, or too long, is cut or "_".
 */
void fg_topic_make(const char *template, const char *site, const char *source,
		   char out[FG_TOPIC]);

#endif
