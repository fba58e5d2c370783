"""jinja2 set up as Hugging Face sets it up for chat templates: the peer that our Jinja is held against.

Needs jinja2 3.1. strftime_now sees NOW, which is NOW_MILLIS for `atelier template render --now` under TZ=UTC.
"""
import copy
import datetime
import json
import warnings

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

warnings.simplefilter("ignore")  # Python's, about the code that jinja2 makes

NOW = datetime.datetime(2026, 7, 14, 9, 5, 3)
NOW_MILLIS = 1784019903000


class Generation(jinja2.ext.Extension):
    """{% generation %} marks what a model wrote; the text goes through."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("through"), [], [], body).set_lineno(line)

    def through(self, caller):
        return caller()


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"])

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda layout: NOW.strftime(layout)
    return env


def render(template, context, env=environment()):
    """The text, or None where jinja2 fails."""
    try:
        text = env.from_string(template).render(**copy.deepcopy(context))  # some filters change lists
        text.encode()
        return text
    except Exception:
        return None


def describe():
    return f"jinja2 {jinja2.__version__}"
