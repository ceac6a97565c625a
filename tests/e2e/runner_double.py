"""Reads output as GitHub's runner reads that of a step, and says what it made of it.

    runner_double.py FILE...

Streams are read one after another, as one step's. A line each on standard output:

    command NAME                           taken for a command; annotations have a line of their own
    error|FILE|LINE|TITLE|MESSAGE          the same of warning and notice; those that GitHub shows: ten of a kind
    dropped KIND                           one more than that
    matched OWNER|LINE                     by a problem matcher
    mask WORD                              ::add-mask::
    stopped                                at the end nobody is heard any more

A line is looked at as it is, and once more without characters of no width: who compares texts by the rules of a language does not
see these either. Both once more without colours, which matchers are not shown.
"""

import io
import re
import sys
import unicodedata

REGISTERED = {
    'set-env', 'set-output', 'save-state', 'add-mask', 'add-path', 'add-matcher', 'remove-matcher', 'debug', 'warning', 'error',
    'notice', 'group', 'endgroup', 'echo', 'stop-commands', 'internal-set-repo-path',
}
SHOWN_MOST = 10
MESSAGE_MOST = 4096

# Owner and patterns, as the actions that set up languages register them, and those that many add.
MATCHERS = [
    ('tsc', [r'^(?:\s+\d+\>)?([^\s].*)\((\d+)(?:,(\d+)(?:,\d+(?:,\d+)?)?)?\)\s*:\s+(error|warning|info)\s+(\w{1,2}\d+)\s*:\s*(.*)$']),
    ('eslint-stylish', [r'^\s*([^\s].*)$', r'^\s+(\d+):(\d+)\s+(error|warning|info)\s+(.*)\s\s+(.*)$']),
    ('eslint-compact', [r'^(.+):\sline\s(\d+),\scol\s(\d+),\s(Error|Warning|Info)\s-\s(.+)\s\((.+)\)$']),
    ('python', [r'^\s*File\s\"(.*)\",\sline\s(\d+),\sin\s(.*)$', r"^\s*raise\s(.*)\(\'(.*)\'\)$"]),
    ('go', [r'((?:\.{0,2}\/|\.{0,2}\\)(?:.+\.go)):(?:(\d+):(\d+):)? (.*)']),
    ('java', [r'^Exception in thread "(.*)" (.*): (.*)$']),
    ('csc', [r'^(.*)\((\d+)(?:,\d+|,\d+,\d+)?\):\s+(error|warning)\s+([a-zA-Z]+(?<!MSB)\d+):\s*(.*?)\s+\[(.*?)\]$']),
    ('gcc', [r'^(.*?):(\d+):(\d*):?\s+(?:fatal\s+)?(warning|error):\s+(.*)$']),
    ('rust', [r'^(?:\x1b\[[\d;]+m)*(warning|warn|error)(?:\x1b\[[\d;]+m)*(\[(.*)\])?(?:\x1b\[[\d;]+m)*:(?:\x1b\[[\d;]+m)* (.*)$',
              r'^(?:\x1b\[[\d;]+m)*\s*-->(?:\x1b\[[\d;]+m)* (.*):(\d+):(\d+)$']),
    ('phpunit', [r'^(.*\.php):(\d+)$']),
    ('pylint', [r'^(.+):(\d+):(\d+):\s(([CRFEW])\d{4}):\s(.+)$']),
    ('catch', [r'^(.+):(\d+): (FAILED|Failure)']),
]


def visible(line):
    return ''.join(c for c in line if unicodedata.category(c) not in ('Cf', 'Cc') or c in '\t\v\f\x85')


def without_colours(line):
    return re.sub('\x1b\\[[0-9;]*m?', '', line)


def unescape(text, pairs):
    for escape, meant in pairs:
        text = text.replace(escape, meant)
    return text


def unescape_data(text):
    return unescape(text, [('%0D', '\r'), ('%0A', '\n'), ('%25', '%')])


def unescape_property(text):
    return unescape(text, [('%0D', '\r'), ('%0A', '\n'), ('%3A', ':'), ('%2C', ','), ('%25', '%')])


def unescape_old(text):
    return unescape(text, [('%3B', ';'), ('%0D', '\r'), ('%0A', '\n'), ('%5D', ']'), ('%25', '%')])


def split_info(info, separator, unescape_value):
    name, _, rest = info.partition(' ')
    properties = {}
    for part in rest.strip().split(separator):
        key, equals, value = part.partition('=')
        if equals and key and value:
            properties[key.lower()] = unescape_value(value)
    return name, properties


class Matcher:
    def __init__(self, owner, patterns):
        self.owner = owner
        self.patterns = [re.compile(pattern) for pattern in patterns]
        self.at = 0

    def match(self, line):
        if self.at and self.patterns[self.at].search(line):
            found = self.at + 1 == len(self.patterns)
            self.at = self.at if found else self.at + 1  # the last one loops
            return found
        self.at = 0
        if not self.patterns[0].search(line):
            return False
        if len(self.patterns) == 1:
            return True
        self.at = 1
        return False


class Runner:
    def __init__(self):
        self.token = None
        self.shown = {'error': 0, 'warning': 0, 'notice': 0}
        self.matchers = [Matcher(*row) for row in MATCHERS]
        self.colour_blind = [Matcher(*row) for row in MATCHERS]
        self.said = []

    def registered(self, name):
        return name.lower() in REGISTERED or (self.token is not None and name.lower() == self.token.lower())

    def parse_new(self, line):
        line = line.lstrip()
        if not line.startswith('::'):
            return None
        info, found, data = line[2:].partition('::')
        if not found:
            return None
        name, properties = split_info(info, ',', unescape_property)
        return (name, properties, unescape_data(data)) if self.registered(name) else None

    def parse_old(self, line):
        before, found, rest = line.partition('##[')
        info, closed, data = rest.partition(']')
        if not found or not closed:
            return None
        name, properties = split_info(info, ';', unescape_old)
        return (name, properties, unescape_old(data)) if self.registered(name) else None

    def command(self, line):
        for text in (line, visible(line), without_colours(line), visible(without_colours(line))):
            found = self.parse_new(text) or self.parse_old(text)
            if found:
                return found
        return None

    def take(self, name, properties, data):
        name = name.lower()
        if self.token is not None:
            if name != self.token.lower():
                return False
            self.token = None
            self.said.append('command resume')
            return True
        self.said.append(f'command {name}')
        if name == 'stop-commands':
            self.token = data
        elif name == 'add-mask':
            self.said.append(f'mask {data}')
        elif name in self.shown:
            self.annotate(name, properties, data)
        return True

    def annotate(self, kind, properties, message):
        self.shown[kind] += 1
        if self.shown[kind] > SHOWN_MOST:
            self.said.append(f'dropped {kind}')
            return
        if len(message) > MESSAGE_MOST:
            self.said.append('too long')
        first = message[:MESSAGE_MOST].replace('\n', '\\n')
        self.said.append('|'.join([kind, properties.get('file', ''), properties.get('line', ''), properties.get('title', ''), first]))

    def line(self, line):
        found = self.command(line)
        if found and self.take(*found):
            return
        self.match(self.matchers, line)
        self.match(self.colour_blind, without_colours(line))

    def match(self, matchers, line):
        for matcher in matchers:
            if matcher.match(line):
                self.said.append(f'matched {matcher.owner}|{line}')
                for other in matchers:
                    if other is not matcher:
                        other.at = 0
                return


def main():
    runner = Runner()
    for path in sys.argv[1:]:
        with open(path, 'rb') as file:
            text = file.read().decode('utf-8-sig', 'replace')
        for line in io.StringIO(text, newline=None):  # CR ends a line, too
            runner.line(line.removesuffix('\n'))
    if runner.token is not None:
        runner.said.append('stopped')
    print('\n'.join(runner.said))


main()
