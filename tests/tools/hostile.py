#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that would like to be something else, and what became of them.

    hostile.py stream          a stream in which every text is such a name
    hostile.py receive SOCKET FILE  datagrams, each with a NUL after it
    hostile.py check KIND FILE is FILE what a KIND should be, and nothing else?
        text        printable lines
        page        the same, with tabs
        json, lines one JSON text, or one a line; printable
        csv         rows of equal length, no cell that is a formula
        syslog      NUL-terminated records in one line each
        journal     NUL-terminated records of FIELD=value lines
        nft         commands that only add or delete elements of one set
        prometheus  metric lines, each series once
"""
import csv
import io
import json
import re
import socket
import sys

NAMES = [
    b'\x1b[31mred\x1b[0m', b'\x1b]0;title\x07', b'\x9b31m', b'\xc2\x9b31m',
    b'bell\x07\x08\x08', b'one\ntwo', b'one\r\ntwo\r', b'tab\there', b'\x00nul\x00',
    b'"quoted"', b"'quoted'", b'back\\', b'\\"', b'`id`', b'$(reboot)', b';reboot;',
    b'| sh', b'&& reboot', b'%s%n%d%x', b'{{7*7}}', b'${IFS}',
    b'=cmd|" /C calc"!A0', b'+1+1', b'-1-1', b'@SUM(A1)', b'\t=1', b'\r=1',
    '\uff1d1+1'.encode(), '\uff0bx'.encode(), b'a,b;c', b'"=1"',
    b'<script>alert(1)</script>', b'</script><img src=x onerror=alert(1)>', b'<!--', b'&lt;b&gt;',
    b'\xff\xfe', b'\xc0\xaf', b'\xed\xa0\x80', b'\xf4\x90\x80\x80', b'cut\xe2\x82', b'\x80',
    '\u202egnp.exe'.encode(), '\u2066x\u2069'.encode(), '\u2028line'.encode(), '\u200ex'.encode(), '\ufeffbom'.encode(),
    b'" } ; flush ruleset ; #', b'" }\nflush ruleset\n', b'# comment', b'x comment "y" }',
    b'"} 1\nflowgate_flows 666', b'a="b"', b'../../etc/passwd', b'/dev/sda', b'.', b'-rf', b'*',
    b'A' * 300, b'\xe2\x82\xac' * 100, b'\x1b' * 250, b' ', b'',
]


def text(name, raw):
    """As a JSON string: escaped, or the bytes as they are where JSON can."""
    out = b''
    for c in name:
        b = bytes([c])
        if b in b'"\\':
            out += b'\\' + b
        elif c < 0x20 and not raw:
            out += b'\\u%04x' % c
        else:
            out += b
    return b'"' + out + b'"'


def message(fields):
    body = b'{' + b','.join(b'"%s":%s' % (k.encode(), v) for k, v in fields) + b'}\n'
    return b'{"length": %d}\n' % len(body) + body


def stream(out):
    for name in NAMES[:8]:
        t = text(name, False)
        out(message([('agent_version', t), ('build_version', t), ('json_version', b'1.9'), ('type', b'"agent_hello"')]))
        out(message([('interfaces', b'{%s:{"role":%s}}' % (t, t)), ('type', b'"agent_status"')]))
        out(message([('applications', b'[{"id":7,"tag":%s}]' % t), ('type', b'"definitions"')]))
        out(message([('type', t)]))
        out(b'{"length": ' + name + b'}\n' + name + b'\n')
    n = 0
    for raw in False, True:
        for name in NAMES:
            t = text(name, raw)
            n += 1
            flow = [
                ('digest', b'"%040x"' % n), ('ip_version', b'4'), ('ip_protocol', b'6'),
                ('local_ip', b'"10.0.0.%d"' % (n % 250 + 1)), ('local_port', b'%d' % (1000 + n)),
                ('local_mac', b'"02:00:00:00:00:%02x"' % (n % 256) if n % 3 else t), ('local_origin', b'true'),
                ('other_ip', b'"198.51.100.9"'), ('other_port', b'443'), ('other_type', b'"remote"'),
                ('other_mac', t), ('detected_protocol', b'%d' % (1000 + n)), ('detected_protocol_name', t),
                ('detected_application', b'%d' % (1000 + n)), ('detected_application_name', t),
                ('host_server_name', t), ('dns_host_name', t), ('first_seen_at', b'1'), ('last_seen_at', b'1'),
                ('http', b'{"url":%s,"user_agent":%s}' % (t, t)),
                ('ssl', b'{"client_sni":%s,"server_cn":%s,"issuer_dn":%s,"alpn":[%s]}' % (t, t, t, t)),
                ('dhcp', b'{"class_ident":%s,"fingerprint":%s}' % (t, t)), ('ssh', b'{"client":%s}' % t),
                ('mdns', b'{"answer":%s}' % t), ('bt', b'{"info_hash":%s}' % t), ('tags', b'[%s]' % t),
                ('risks', b'{"risks":[%s]}' % t)]
            inner = b'{' + b','.join(b'"%s":%s' % (k.encode(), v) for k, v in flow) + b'}'
            for kind in b'"flow"', b'"flow_dpi_update"':
                out(message([('flow', inner), ('interface', t), ('internal', b'true'), ('type', kind)]))
            if n % 4 == 0:
                out(message([('flow', b'{"digest":"%040x"}' % n), ('reason', t), ('type', b'"flow_purge"')]))


    out(message([('agent_version', b'"end"'), ('type', b'"agent_hello"')]))


class Bad(Exception):
    pass


def expect(ok, what, where=''):
    if not ok:
        raise Bad('%s: %r' % (what, where))


def printable(data, also=''):
    """Valid UTF-8 that moves no cursor and reorders nothing."""
    try:
        s = data.decode('utf-8')
    except UnicodeDecodeError as e:
        raise Bad('not UTF-8: %r' % data[max(0, e.start - 40):e.start + 40]) from e
    for m in re.finditer('[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]', s):
        expect(m.group() in '\n' + also, 'control character', s[max(0, m.start() - 40):m.end() + 10])
    return s


def values(v):
    """Every string in a JSON value."""
    if isinstance(v, str):
        yield v
    elif isinstance(v, (list, dict)):
        for x in v.values() if isinstance(v, dict) else v:
            yield from values(x)


def check_text(data):
    return len(printable(data).splitlines())


def check_page(data):
    return len(printable(data, '\t').splitlines())


def check_json(data):
    return sum(1 for _ in values(json.loads(printable(data))))


def check_lines(data):
    n = 0
    for line in printable(data).split('\n')[:-1]:
        expect(isinstance(json.loads(line), dict), 'not an object', line)
        n += 1
    return n


def check_csv(data):
    rows = list(csv.reader(io.StringIO(printable(data), newline=''), strict=True))
    for row in rows:
        expect(len(row) == len(rows[0]), 'a row of another length', row)
        for cell in row:
            expect(not re.match('[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]', cell), 'a formula', cell)
    expect(len(rows) == data.count(b'\n'), 'a cell of two lines')
    return len(rows)


def check_syslog(data):
    records = data.split(b'\0')[:-1]
    for r in records:
        s = printable(r)
        expect('\n' not in s, 'two lines', s)
        head = re.match(r'<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d flowgated\[\d+\]:', s)
        expect(head, 'another beginning', s)
        expect(re.fullmatch(r'( [a-z_]+=([^ "=]+|"([^"\\]|\\.)*"))+', s[head.end():]), 'not fields', s)
    return len(records)


def check_journal(data):
    records = data.split(b'\0')[:-1]
    for r in records:
        for line in printable(r).split('\n')[:-1]:
            expect(re.match(r'(PRIORITY|SYSLOG_IDENTIFIER|MESSAGE|FLOWGATE_[A-Z_]+)=', line), 'no field', line)
        expect(printable(r).count('MESSAGE=') >= 1, 'no message', r)
    return len(records)


STRING = r'"[^"\\]*"'
ELEMENT = re.compile(
    r'(add|delete) element inet t s(\.v[46])? \{ [0-9a-z.:]+ \. %s( timeout [0-9a-z]+)?( expires [0-9a-z]+)?( comment %s)? \}'
    % (STRING, STRING))


def check_nft(data):
    lines = printable(data).split('\n')[:-1]
    for line in lines:
        expect(line.startswith('#') or ELEMENT.fullmatch(line) or re.match('add (table|set|map) inet t', line),
               'another command', line)
    return sum(not line.startswith('#') for line in lines)


def check_prometheus(data):
    seen = set()
    for line in printable(data).split('\n')[:-1]:
        if re.match('# (HELP|TYPE) flowgate_[a-z_]+ ', line):
            continue
        m = re.fullmatch(r'([a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\]|\\[\\"n])*",?)*\})?) [0-9.e+-]+', line)
        expect(m, 'no metric', line)
        expect(m.group(1) not in seen, 'twice', line)
        seen.add(m.group(1))
    return len(seen)


def receive(path, to):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    with open(to, 'wb', buffering=0) as f:
        while True:
            f.write(s.recv(1 << 16) + b'\0')


def main():
    if sys.argv[1:] == ['stream']:
        stream(sys.stdout.buffer.write)
        return 0
    if len(sys.argv) == 4 and sys.argv[1] == 'receive':
        return receive(*sys.argv[2:])
    if len(sys.argv) != 4 or sys.argv[1] != 'check':
        print(__doc__, file=sys.stderr)
        return 2
    check = globals()['check_' + sys.argv[2]]
    with open(sys.argv[3], 'rb') as f:
        data = f.read()
    try:
        n = check(data)
        expect(n > 0, 'nothing in it')
    except (Bad, ValueError, csv.Error) as e:
        print('%s: %s' % (sys.argv[3], e))
        return 1
    print(n)
    return 0


sys.exit(main())
