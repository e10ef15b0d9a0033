# SPDX-License-Identifier: GPL-2.0-or-later
# uci.awk - "uci export flowgate" as flowgate.json: for the busybox awk.
#
# A section is an object in the one that its type stands for, an option is a
# key with a text (flowgated takes numbers as text, too), a list is a list.
# Only what UCI has no form for is known by name here.

BEGIN {
	container["action"] = "actions"
	container["target"] = "targets"
	container["group"] = "address_groups"
	container["application_group"] = "application_groups"

	words("enabled target_enabled managed flush_on_create flush_on_destroy " \
		"halt_on_match allow counter comment mirror clear_on_leave " \
		"clean_session " \
		"auto_label log_errors reprocess_flows header", boolean)
	words("max_flows detail_bytes max_message max_tokens max_names flow_idle", limit)
	words("1 on true yes enabled", yes)
	for (i = 1; i < 32; i++)
		control[sprintf("%c", i)] = sprintf("\\u%04x", i)
	# of the service, not of flowgated
	words("enabled config log_level", service)
}

function words(text, set, list, n, i) {
	n = split(text, list, " ")
	for (i = 1; i <= n; i++)
		set[list[i]] = 1
}

# character by character: awks differ in how gsub() takes backslashes
function quoted(text, out, i, c) {
	out = ""
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "\\" || c == "\"")
			c = "\\" c
		else if (c == "\n")
			c = "\\n"
		else if (c == "\t")
			c = "\\t"
		else if (c in control)
			c = control[c]
		out = out c
	}
	return "\"" out "\""
}

function value(key, text) {
	if (key in boolean)
		return (text in yes) ? "true" : "false"
	return quoted(text)
}

# one more key of a section, in the order of the file
function add(section, key, json, where) {
	where = section SUBSEP key
	if (!(where in content))
		keys[section] = keys[section] key SUBSEP
	content[where] = json
}

function extend(section, key, json, where) {
	where = section SUBSEP key
	add(section, key, (where in content) ? content[where] ", " json : json)
	is_list[where] = 1
}

function option(key, text) {
	if (type == "flowgate") {
		if (key in service)
			return
		if (key in limit)
			add("limits", key, quoted(text))
		else
			add("", key, value(key, text))
	} else if (key ~ /^data_/) {
		add(name SUBSEP "data", substr(key, 6), quoted(text))
		add(name, "data", "")
	} else {
		add(name, key, value(key, text))
	}
}

function list(key, text) {
	extend(type == "flowgate" ? "" : name, key, quoted(text))
}

# The first quoted text of the line, without its quotes; lines are added until
# it ends. A quote in it is written as '\'' there.
function unquoted(text, out, at, line) {
	sub(/^[^']*'/, "", text)
	out = ""
	for (;;) {
		at = index(text, "'")
		if (!at) {
			if ((getline line) <= 0)
				return out text
			text = text "\n" line
			continue
		}
		out = out substr(text, 1, at - 1)
		text = substr(text, at + 1)
		if (substr(text, 1, 3) != "\\''")
			return out
		out = out "'"
		text = substr(text, 4)
	}
}

$1 == "config" {
	type = $2
	gsub(/'/, "", type)
	name = NF > 2 ? unquoted($0) : type "_" ++unnamed
	if (type == "flowgate")
		next
	name = type SUBSEP name
	sections[type] = sections[type] name "\001"
}
$1 == "option" { option($2, unquoted($0)) }
$1 == "list" { list($2, unquoted($0)) }

# "a": 1, "b": [2]; each on a line of its own, so that a complaint's line tells
function object(section, indent, n, list_, i, out, key, where) {
	n = split(keys[section], list_, SUBSEP) - 1
	for (i = 1; i <= n; i++) {
		key = list_[i]
		where = section SUBSEP key
		if (key == "times" && section ~ /^action/)
			out = out indent "\"time_of_day\": " times(content[where], indent)
		else if (key == "data")
			out = out indent "\"data\": {\n" object(section SUBSEP "data", indent "  ") indent "}"
		else if (where in is_list)
			out = out indent quoted(key) ": [" content[where] "]"
		else
			out = out indent quoted(key) ": " content[where]
		out = out (i < n ? ",\n" : "\n")
	}
	return out
}

function times(names, indent, n, list_, i, out, name) {
	n = split(names, list_, ", ")
	for (i = 1; i <= n; i++) {
		out = out (i > 1 ? "," : "") "\n" indent "  "
		name = "time" SUBSEP substr(list_[i], 2, length(list_[i]) - 2)
		# what is no section stays a text, which flowgated complains of
		if (index(sections["time"], name "\001"))
			out = out "{\n" object(name, indent "    ") indent "  }"
		else
			out = out list_[i]
	}
	return "[" out "\n" indent "]"
}

function short(section, at) {
	return substr(section, index(section, SUBSEP) + 1)
}

function part(text) {
	parts = parts (parts == "" ? "" : ",\n") text
}

END {
	top = object("", "  ")
	if (top != "")
		part(substr(top, 1, length(top) - 1))
	if (keys["limits"] != "")
		part("  \"limits\": {\n" object("limits", "    ") "  }")
	n = split("action target group application_group", types, " ")
	for (i = 1; i <= n; i++)
		part("  \"" container[types[i]] "\": {\n" sections_of(types[i]) "  }")
	print "{\n" parts "\n}"
}

function sections_of(type, n, list_, i, out, name) {
	n = split(sections[type], list_, "\001") - 1
	for (i = 1; i <= n; i++) {
		name = substr(list_[i], index(list_[i], SUBSEP) + 1)
		out = out "    " quoted(name) ": "
		if (type ~ /group/)
			out = out "[" content[list_[i] SUBSEP "member"] "]"
		else
			out = out "{\n" object(list_[i], "      ") "    }"
		out = out (i < n ? ",\n" : "\n")
	}
	return out
}
