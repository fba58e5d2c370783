"""Random templates through jinja2, for our renderer to be held against.

Usage: diff_jinja.py COUNT [SEED] > cases.json
       ATELIER_JINJA_CASES=$PWD/cases.json build/release/text_test --gtest_filter=JinjaPeer.Cases
Each seed gives other templates. Left out are those whose text is a matter of Python's insides (object addresses), of
integers beyond 64 bits, those that jinja2 itself takes long over, and slices of literals (jinja2 folds {{ 1[:2] }} to
an undefined value, but fails on {{ [1[:2]] }}; ours fails on both). Needs jinja2 3.1.
"""
import json
import random
import re
import signal
import sys

import jinja_peer

CONTEXT = {"n": 7, "m": -3, "z": 0, "f": 2.5, "g": -0.75, "t": True, "no": False, "nil": None, "s": "Hello, World",
           "zh": "你好,世界", "emo": "a👨‍👩‍👧🙂é", "e": "", "sp": "  pad\t\n x ", "h": "<b a='1'>&</b>", "num": "42",
           "fl": " 3.50 ", "w": "one two  three-four\nfive", "xs": [3, 1, 2], "ys": ["b", "A", "c", "a"],
           "mix": [1, "1", 1.0, True, None, [1], {"a": 1}], "nn": [[1, 2], [3, 4]], "em": [],
           "d": {"b": 1, "a": 2, "C": 3}, "k": {"items": "I", "x y": 1, "1": "one"},
           "us": [{"name": "Bob", "age": 30, "on": True, "at": {"c": "Oslo"}},
                  {"name": "alice", "age": 25, "on": False, "at": {"c": "Bergen"}},
                  {"name": "陈", "age": 30, "on": True, "at": {}}]}
NAMES = list(CONTEXT) + ["undef", "v", "x", "y", "ns", "loop", "mac", "caller"]
TESTS = ["defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping",
         "sequence", "iterable", "callable", "odd", "even", "lower", "upper", "escaped", "filter", "test"]
TESTS1 = ["divisibleby", "eq", "ne", "lt", "le", "gt", "ge", "in", "sameas", "equalto"]
FILTERS = ["abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "forceescape", "int",
           "items", "join", "last", "length", "list", "lower", "max", "min", "reverse", "round", "safe", "select",
           "reject", "sort", "string", "striptags", "sum", "title", "tojson", "trim", "truncate", "unique", "upper",
           "urlencode", "wordcount", "wordwrap", "xmlattr", "filesizeformat", "indent", "center", "list", "list"]
METHODS = ["upper()", "lower()", "strip()", "lstrip()", "rstrip('d')", "split()", "split(',')", "split(' ', 1)",
           "rsplit(none, 1)", "rsplit('l', 1)", "splitlines()", "title()", "capitalize()", "swapcase()", "isdigit()",
           "isalpha()", "startswith('H')", "endswith(('d', 'é'))", "replace('l', 'L')", "replace('', '-', 2)",
           "find('o')", "rfind('o')", "count('l')", "index('l')", "join(ys)", "partition(',')", "rpartition('l')",
           "zfill(6)", "center(9, '*')", "ljust(5)", "rjust(5)", "casefold()", "isupper()", "islower()", "istitle()",
           "items()", "keys()", "values()", "get('a')", "get('zz', 5)", "copy()", "index(1)", "count(1)", "isalnum()",
           "format(1, x=2)", "removeprefix('Hel')", "removesuffix('ld')", "expandtabs(4)", "isspace()", "isnumeric()"]


class Maker:
    def __init__(self, rng):
        self.r = rng

    def pick(self, *choices):
        return self.r.choice(choices)

    def literal(self):
        r = self.r
        return r.choice([str(r.randint(-5, 12)), str(r.randint(0, 300) / 8), "'%s'" % r.choice(
            ["", "a", "b,c", "%s|%d", "{}-{x}", "é你", " x ", "A-b c", "12", "0x1f", "1e2", "<i>", "\\n", "it\\'s", "🙂"]),
            "true", "false", "none", "[]", "{}", "()", "1e16", "0.1"])

    def args(self, depth):
        return ", ".join(self.expr(depth - 2) for _ in range(self.r.randint(0, 2)))

    def expr(self, depth):
        r = self.r
        if depth <= 0:
            return r.choice([self.literal(), r.choice(NAMES), r.choice(NAMES)])
        e = lambda: self.expr(depth - 1 - r.randint(0, 1))
        kind = r.randint(0, 21)
        if kind <= 2:
            return f"{e()} {r.choice(['+', '-', '*', '/', '//', '%', '~', '~'])} {e()}"
        if kind == 3:
            return f"{e()} {r.choice(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in'])} {e()}"
        if kind == 4:
            return f"({e()})"
        if kind == 5:
            return f"{e()} {r.choice(['and', 'or'])} {e()}"
        if kind == 6:
            return f"{r.choice(['not ', '-', '+'])}{e()}"
        if kind == 7:
            return f"{e()} if {e()}" + (f" else {e()}" if r.random() < .7 else "")
        if kind == 8:
            return "[" + ", ".join(e() for _ in range(r.randint(0, 3))) + "]"
        if kind == 9:
            return "(" + ", ".join(e() for _ in range(r.randint(0, 3))) + r.choice([")", ",)"])
        if kind == 10:
            return "{" + ", ".join(f"{self.expr(0)}: {e()}" for _ in range(r.randint(0, 3))) + "}"
        if kind == 11:
            return f"{e()}[{e()}]"
        if kind == 12:
            part = lambda: r.choice(["", "", str(r.randint(-4, 5)), e()])
            return f"{r.choice(NAMES)}[{part()}:{part()}" + r.choice(["", ":-1", ":2", ":" + part()]) + "]"
        if kind == 13:
            return f"{e()}.{r.choice(['a', 'name', 'age', 'at', 'items', '0', 'c', 'upper', 'index', 'length', 'nope'])}"
        if kind == 14:
            return f"({e()}).{r.choice(METHODS)}"
        if kind in (15, 16, 17):
            return f"{e()}|{self.filter(depth)}"
        if kind == 18:
            return f"{e()} is {r.choice(['', 'not '])}" + (
                r.choice(TESTS) if r.random() < .6 else f"{r.choice(TESTS1)}({e()})")
        if kind == 19:
            return r.choice([f"range({e()})", f"range({r.randint(-3, 5)}, {r.randint(-3, 9)}, {r.choice([1, 2, -1])})|list",
                             f"dict(a={e()})", f"namespace(a={e()}).a", f"mac({self.args(depth)})"])
        if kind == 20:
            return f"'{r.choice(['%s', '%r %s', '%5.1f', '%d', '%05d|%-4d|', '%x', '%(a)s', '%e', '%g', '%+d', '%c'])}' % {e()}"
        return f"'{r.choice(['{}', '{0}{0}', '{:>6}', '{:.2f}', '{:,}', '{x}', '{:^9}', '{!r}', '{:05}', '{:g}', '{:e}', '{0.a}', '{:+}', '{:x}', '{:%}', '{:8.3}', '{:d}'])}'.format({e()}, x={self.expr(0)})"

    def filter(self, depth):
        r = self.r
        e = lambda: self.expr(depth - 2)
        return r.choice(FILTERS + [
            f"join({e()})", f"default({e()}, true)", f"replace({e()}, {e()})", f"map('{r.choice(FILTERS)}')|list",
            f"map(attribute={e()})|list", "map(attribute='name')|join(',')", f"selectattr('age', '{r.choice(TESTS1)}', {e()})|list",
            f"select('{r.choice(TESTS)}')|list", f"reject('{r.choice(TESTS1)}', {e()})|list", f"batch({e()})|list",
            f"slice({e()})|list", f"sort(reverse={e()})", "sort(attribute='age')", "groupby('age')|list",
            f"round({r.randint(-2, 3)})", f"round(1, '{r.choice(['ceil', 'floor', 'common'])}')", f"int({e()})",
            f"tojson(indent={r.randint(0, 3)})", "tojson(sort_keys=true)", "tojson(ensure_ascii=true)",
            f"truncate({r.randint(1, 9)}, {e()}, leeway=0)", f"wordwrap({r.randint(1, 9)})", f"indent({e()})",
            f"center({r.randint(0, 15)})", f"trim({e()})", f"attr({e()})", "unique|list", "rejectattr('on')|list",
            "format(1, 'a')", f"dictsort(by='value')", f"sum(start={e()})", f"min(attribute='age')", "reverse|list",
            "nope", f"first({e()})"])

    def space(self):
        return self.r.choice(["", " ", "\n", "  ", "\n  ", "x", "é ", "", "\n\n", "\t"])

    def tag(self, text):
        r = self.r
        return "{%" + r.choice(["", "", "", "-", "+"]) + " " + text + " " + r.choice(["", "", "", "-", "+"]) + "%}"

    def body(self, depth):
        return "".join(self.space() + self.statement(depth - 1) + self.space() for _ in range(self.r.randint(1, 3)))

    def target(self):
        return self.r.choice(["x", "y", "v", "n", "s", "x, y", "(x, v), y", "ns.a", "xs"])

    def statement(self, depth):
        r = self.r
        if depth <= 0 or r.random() < .35:
            return r.choice(["{{", "{{", "{{-", "{{ "]) + " " + self.expr(r.randint(0, 4)) + " " + r.choice(["}}", "}}", "-}}"])
        b = lambda: self.body(depth)
        kind = r.randint(0, 12)
        if kind <= 1:
            out = self.tag("if " + self.expr(2)) + b()
            if r.random() < .3:
                out += self.tag("elif " + self.expr(2)) + b()
            if r.random() < .5:
                out += self.tag("else") + b()
            return out + self.tag("endif")
        if kind <= 4:
            source = r.choice(["xs", "ys", "nn", "d.items()", "d", "us", "zh", "range(3)", "mix", "em", self.expr(2),
                               "xs|map('string')", "nn|map('last')"])
            target = r.choice(["x", "x", "x", "v", "x, y", "n", "(x, y)", "i"])
            inner = b() + r.choice(["", "", "{{ loop.index }}", "{{ loop.last }}{{ loop.length }}", "{{ loop.nextitem }}",
                                    "{{ loop.cycle(1, 2) }}", "{{ loop.changed(x) }}", "{{ loop.previtem }}",
                                    "{% if x %}{% break %}{% endif %}", "{% if loop.first %}{% continue %}{% endif %}"]) + r.choice(["", b()])
            out = self.tag(f"for {target} in {source}" + (f" if {self.expr(2)}" if r.random() < .25 else "")) + inner
            if r.random() < .2:
                out += self.tag("else") + b()
            return out + self.tag("endfor")
        if kind <= 6:
            return self.tag(f"set {self.target()} = {self.expr(3)}")
        if kind == 7:
            chain = r.choice(["", "", "|upper", "|trim|length", "|replace('a', 'b')"])
            return self.tag(f"set {r.choice(['x', 'y', 'v'])}{chain}") + b() + self.tag("endset")
        if kind == 8:
            params = r.choice(["", "x", "x, y=1", "x=n, y=x", "v", "x, caller=none"])
            inner = b() + r.choice(["", "{{ varargs }}", "{{ kwargs }}", "{{ caller() }}", "{{ caller }}"])
            return self.tag(f"macro mac({params})") + inner + self.tag("endmacro")
        if kind == 9:
            return self.tag(f"call{r.choice(['', '(x)', '(x, y=2)'])} mac({self.args(3)})") + b() + self.tag("endcall")
        if kind == 10:
            return self.tag(f"filter {r.choice(['upper', 'trim', 'indent(2)', 'title', 'length', 'wordwrap(5)'])}") + b() + self.tag("endfilter")
        if kind == 11:
            return self.tag(f"with x={self.expr(2)}, v={self.expr(1)}") + b() + self.tag("endwith")
        return r.choice(["{# c #}", "{#- c -#}", "{% raw %} {{ x }} {% endraw %}", self.tag("set ns = namespace(a=1, b=xs)"),
                         self.tag("block q%d" % r.randint(0, 10**9)) + b() + self.tag("endblock"),
                         self.tag("generation") + b() + self.tag("endgeneration")])

    def template(self):
        if self.r.random() < .4:
            return "{{ " + self.expr(self.r.randint(1, 5)) + " }}"
        return self.body(self.r.randint(1, 4))


INSIDES = re.compile(r"<(generator|built-in|bound|function|class|jinja2|dict_|list_|tuple|str_|range_|method|map|reversed|"
                     r"filter)|object at 0x|<Cycler|<Joiner|\d{19,}|lipsum", re.I)


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rng = random.Random(seed)
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    lines = []
    while len(lines) < count:
        source = Maker(rng).template()
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            text = jinja_peer.render(source, CONTEXT)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            continue
        if text is not None and (INSIDES.search(text) or len(text) > 20000):
            continue
        case = {"template": source, "error": True} if text is None else {"template": source, "text": text}
        lines.append(json.dumps(case, ensure_ascii=False))
    head = json.dumps({"peer": jinja_peer.describe(), "now_unix_millis": jinja_peer.NOW_MILLIS, "context": CONTEXT},
                      ensure_ascii=False)[:-1]
    print(head + ', "cases": [\n' + ",\n".join(lines) + "\n]}")


if __name__ == "__main__":
    main()
