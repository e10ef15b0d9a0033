#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# flowgatectl top on terminals of several sizes: nothing wraps or scrolls, it
# follows a change of the size, ends with q and leaves the terminal as it was.
# shellcheck disable=SC2317 # functions are called by name through ok
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
have jq
have python3

mkfifo "$T/stream"
cat >"$T/c.json" <<END
{ "actions": { "all": { "criteria": "*", "targets": ["a-name-that-is-longer-than-its-column"] } },
  "targets": { "a-name-that-is-longer-than-its-column": { "target_type": "log", "file": "$T/log" } } }
END
"$B/flowgated" -c "$T/c.json" -P "$B/plugins" -S "$T/control.sock" -s - \
	<"$T/stream" >"$T/out" 2>"$T/err" &
daemon=$!
pids+=("$daemon")
exec 3>"$T/stream"
cat tests/data/v4.stream >&3
live() { "$B/flowgatectl" -S "$T/control.sock" -j status | jq -e '.sources[0].messages == 81'; }
ok "flows" wait_for 10 live

python3 - "$B/flowgatectl" "$T/control.sock" <<'P' || failures=$((failures + 1))
import fcntl, os, pty, re, select, signal, struct, sys, termios, time

CTL, SOCKET = sys.argv[1:]
wrong = 0

def check(what, good, text=""):
    global wrong
    print(("ok: " if good else "FAILED: ") + what)
    if not good:
        wrong += 1
        print("   ", text)

class Top:
    """top on a terminal of its own"""
    def __init__(self, rows, columns, *args, **env):
        self.master, self.slave = pty.openpty()
        self.size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if not self.pid:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in 0, 1, 2:
                os.dup2(self.slave, fd)
            os.environ.pop("NO_COLOR", None)
            os.environ["TERM"] = "vt100"
            os.environ.update(env)
            os.execv(CTL, [CTL, "-S", SOCKET, "top", *args])

    def size(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, until, seconds=10):
        """what comes until it has this"""
        text, end = "", time.monotonic() + seconds
        while not re.search(until, text, re.S) and time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                text += os.read(self.master, 65536).decode()
        return text

    def ended(self, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

def lines(text):
    return [re.sub("\033\\[[0-9;?]*[A-Za-z]", "", l).strip("\r")
            for l in text.split("\n")]

PAGE = "\033\\[H.*\033\\[J"
for rows, columns in (24, 80), (50, 200), (10, 40), (3, 12), (1, 1), (24, 110):
    top = Top(rows, columns, "-n", "1")
    text = top.read(PAGE)
    page = lines(text.split("\033[J")[0])
    size = "%d x %d" % (rows, columns)
    widest = max(map(len, page))
    check(size + ": no line is wider", widest <= columns, "%d" % widest)
    check(size + ": there are no more lines", len(page) <= rows, "%d" % len(page))
    check(size + ": it begins as it should", page[0] == "flowgated "[:columns]
          or page[0].startswith("flowgated "), page[0])
    check(size + ": status 0", top.ended() == 0)

top = Top(24, 80, "-d", "600")
text = top.read(PAGE)
check("colours on a terminal", "\033[32m" in text, text)
top.size(30, 60)
os.kill(top.pid, signal.SIGWINCH)
page = lines(top.read(PAGE).split("\033[J")[0])
check("another size: a page at once", max(map(len, page)) <= 60 and len(page) > 3, page)
os.write(top.master, b" ")
check("space: a page at once", "APPLICATION" in top.read(PAGE))
os.write(top.master, b"q")
check("q ends it", top.ended() == 0)
check("the cursor is back", "\033[?25h" in top.read("25h"))
check("and the terminal as it was", termios.tcgetattr(top.slave) == top.before)

top = Top(24, 80, "-d", "600")
top.read(PAGE)
os.write(top.master, b"\x03")
check("so does Ctrl-C", top.ended() == 0)
check("which leaves it as it was, too", termios.tcgetattr(top.slave) == top.before)

top = Top(24, 80, "-n", "1", NO_COLOR="1")
text = top.read(PAGE)
check("NO_COLOR", "\033[" in text and not re.search("\033\\[[0-9;]*m", text), text)
top.ended()
sys.exit(wrong != 0)
P

"$B/flowgatectl" -S "$T/control.sock" top -b -n 2 -d 0.1 >"$T/page"
not_plain() { ! grep -q $'\e' "$T/page"; }
ok "-b: nothing but text" not_plain
ok "-n 2: two pages" test "$(grep -c '^flowgated ' "$T/page")" = 2

exec 3>&-
kill $daemon
wait $daemon
finish
