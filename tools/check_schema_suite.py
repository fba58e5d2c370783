#!/usr/bin/env python3
"""Holds what constraints can write against the JSON-Schema-Test-Suite, draft 2020-12.

    tools/check_schema_suite.py [--mutants 40] [--verbose]

Asks `atelier schema check` for every group whether replies can be held to its schema and which texts a reply could be:
each test's value in many writings (orders of names, white space, escapes, forms of numbers), and changed values, which
PyPI `jsonschema` judges with formats asserted. Prints a table by file. An invalid value that a reply could be, and a
schema refused as contradictory though a valid value is known, are errors: exit code 1. A valid value that no writing
makes possible is counted: constraints are subsets (docs/formats/schema.md, "Written as").
"""
import argparse
import collections
import copy
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import schema_suite

LIMITS = {'time': 60}


def orders(names, listed):
    """Orders to try an object's names in: all of few names, else the likely ones."""
    likely = sorted(names, key=lambda name: listed.index(name) if name in listed else len(listed))
    if len(names) <= 4:
        return [likely] + [list(order) for order in itertools.permutations(names)]
    return [likely, list(names), list(reversed(names)), sorted(names)]


def listed_names(schema):
    """Names in the order in which a schema lists them: `properties` first, then `required`."""
    out = []
    todo = [schema]
    while todo:
        at = todo.pop(0)
        if isinstance(at, dict):
            out += [name for name in at.get('properties', {}) if isinstance(at['properties'], dict)]
            todo += at.values()
        elif isinstance(at, list):
            todo += at
    todo = [schema]
    while todo:
        at = todo.pop(0)
        if isinstance(at, dict):
            if isinstance(at.get('required'), list):
                out += [name for name in at['required'] if isinstance(name, str)]
            todo += at.values()
        elif isinstance(at, list):
            todo += at
    return list(dict.fromkeys(out))


def reorder(value, listed, pick):
    if isinstance(value, dict):
        choices = orders(list(value), listed)
        return {name: reorder(value[name], listed, pick) for name in choices[pick % len(choices)]}
    if isinstance(value, list):
        return [reorder(item, listed, pick) for item in value]
    return value


def plain_numbers(value):
    """1.0 is the integer 1."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, dict):
        return {name: plain_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain_numbers(item) for item in value]
    return value


def escaped(text):
    """The same JSON with every character of every string as an escape."""
    out, inside, i = [], False, 0
    while i < len(text):
        c = text[i]
        if c == '"':
            inside = not inside
            out.append(c)
        elif not inside:
            out.append(c)
        elif c == '\\':
            length = 6 if text[i + 1] == 'u' else 2
            out.append(text[i:i + length])
            i += length - 1
        else:
            units = c.encode('utf-16-be')
            out += [f'\\u{units[k]:02x}{units[k + 1]:02X}' for k in range(0, len(units), 2)]
        i += 1
    return ''.join(out)


def writings(value, listed):
    """Texts that all mean the same value."""
    out = []
    for pick in range(25):
        for form in (reorder(value, listed, pick), plain_numbers(reorder(value, listed, pick))):
            out += [json.dumps(form, ensure_ascii=False, separators=(',', ':')), json.dumps(form)]
    out.append(escaped(out[0]))
    return list(dict.fromkeys(text for text in out if '\n' not in text and is_utf8(text)))


def is_utf8(text):
    try:
        text.encode('utf-8')
        return True
    except UnicodeEncodeError:
        return False


SCALARS = [0, 1, -1, 2, 3, 5, 10, 100, 1.5, 0.5, -0.25, 1e3, '', 'a', 'b', 'foo', 'bar', 'ab', 'x' * 12, '中文', '😀', '1',
           '12:00:00Z', '2020-02-29', None, True, False, [], {}]


def known_values(schema):
    """Constants that a schema speaks of, and names."""
    out, todo = [], [schema]
    while todo:
        at = todo.pop()
        if isinstance(at, dict):
            out += at.get('enum', []) if isinstance(at.get('enum'), list) else []
            out += [at['const']] if 'const' in at else []
            out += [at[key] for key in ('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum') if key in at]
            todo += at.values()
        elif isinstance(at, list):
            todo += at
    return out


def mutant(rng, value, pool, names):
    """A value with something small changed somewhere."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice([1, 1, 2, 3])):
        value = change(rng, value, pool, names)
    return value


def change(rng, value, pool, names):
    if isinstance(value, dict) and value and rng.random() < 0.5:
        name = rng.choice(list(value))
        value[name] = change(rng, value[name], pool, names)
        return value
    if isinstance(value, list) and value and rng.random() < 0.5:
        at = rng.randrange(len(value))
        value[at] = change(rng, value[at], pool, names)
        return value
    if isinstance(value, dict) and rng.random() < 0.8:
        if value and rng.random() < 0.5:
            del value[rng.choice(list(value))]
        else:
            value[rng.choice(names)] = copy.deepcopy(rng.choice(pool))
        return value
    if isinstance(value, list) and rng.random() < 0.8:
        if value and rng.random() < 0.4:
            del value[rng.randrange(len(value))]
        elif value and rng.random() < 0.3:
            value.append(copy.deepcopy(rng.choice(value)))
        else:
            value.insert(rng.randint(0, len(value)), copy.deepcopy(rng.choice(pool)))
        return value
    if isinstance(value, str) and rng.random() < 0.7:
        at = rng.randint(0, len(value))
        return rng.choice([value[:at] + rng.choice('aZ0 .-中') + value[at:], value[:at] + value[at + 1:], value + value[:1]])
    if isinstance(value, (int, float)) and not isinstance(value, bool) and rng.random() < 0.7:
        return rng.choice([value + 1, value - 1, -value, value * 10, value + 0.5, value * 2])
    return copy.deepcopy(rng.choice(pool))


ABOUT = {'string': 'minLength maxLength pattern format', 'number': 'minimum maximum exclusiveMinimum exclusiveMaximum '
         'multipleOf', 'array': 'items prefixItems contains minItems maxItems uniqueItems unevaluatedItems', 'object':
         'properties required patternProperties additionalProperties propertyNames minProperties maxProperties '
         'dependentRequired dependentSchemas unevaluatedProperties'}


def why_not(file, schema, value):
    """The part of "Written as" (docs/formats/schema.md) that keeps a valid value from being written."""
    if 'format' in file:
        return 'formats are held to, by a plain part of what they allow'
    kinds = {str: 'string', int: 'number', float: 'number', list: 'array', dict: 'object'}
    spoken = {kind for kind, words in ABOUT.items() if any(word in schema for word in words.split())}
    if 'type' not in schema and spoken and kinds.get(type(value)) not in spoken:
        return 'without type, keywords say which type is meant'
    if isinstance(value, dict):
        return 'names that the schema does not speak of'
    if isinstance(value, list):
        return 'items beyond a tuple, or what is contained comes later'
    return 'constants and multiples in another form'


def ask(atelier, folder, schema, texts):
    """(None, possible by text) or (error, {})."""
    (folder / 'schema.json').write_text(json.dumps(schema), encoding='utf-8')
    (folder / 'texts').write_text(''.join(f'{text}\n' for text in texts), encoding='utf-8')
    done = subprocess.run([atelier, 'schema', 'check', str(folder / 'schema.json'), '--texts', str(folder / 'texts'),
                           '--json'], capture_output=True, text=True, timeout=LIMITS['time'])
    try:
        result = json.loads(done.stdout)
    except json.JSONDecodeError:
        return {'code': 'crash', 'message': f'exit {done.returncode}: {done.stderr[-300:]}'}, {}
    if 'error' in result:
        return result['error'], {}
    return None, {text: line['possible'] for text, line in zip(texts, result['texts'], strict=True)}


class Suite:
    def __init__(self, options):
        import jsonschema
        self.validator = lambda schema: jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        self.options = options
        self.rng = random.Random(options.seed)
        self.rows = collections.OrderedDict()
        self.refusals = collections.Counter()
        self.unreached = collections.Counter()
        self.errors = 0

    def error(self, line):
        self.errors += 1
        print(f'ERROR {line}')

    def group(self, folder, file, description, schema, tests):
        row = self.rows.setdefault(file, collections.Counter())
        row['groups'] += 1
        listed = listed_names(schema)
        asked = {}  # text -> (value, valid, test description)
        for test in tests:
            for text in writings(test['data'], listed):
                asked.setdefault(text, test)
        pool = SCALARS + known_values(schema) * 3
        names = listed * 3 + ['foo', 'bar', 'a', 'zzz', '名'] + [n for t in tests if isinstance(t['data'], dict) for n in t['data']]
        mutants = []
        for _ in range(self.options.mutants):
            value = mutant(self.rng, self.rng.choice(tests)['data'], pool, names)
            mutants.append((value, writings(value, listed)[:3]))
        texts = list(dict.fromkeys(list(asked) + [text for _, some in mutants for text in some]))
        error, possible = ask(self.options.atelier, folder, schema, texts)
        name = f'{file}: {description}'
        if error:
            if error['code'] not in ('unsupported', 'invalid_input'):
                self.error(f'{name}: {error}: {json.dumps(schema)}')
            if 'nothing can satisfy' in error['message'] and any(test['valid'] for test in tests):
                self.error(f'{name}: called contradictory: {error["message"]}: {json.dumps(schema)}')
            why = error['message'].split(': ', 2)[-1]
            self.refusals[why] += 1
            row['refused'] += 1
            if self.options.verbose:
                print(f'refused  {name}: {error["message"]}: {json.dumps(schema)[:200]}')
            return
        row['taken'] += 1
        for test in tests:
            some = [text for text in writings(test['data'], listed) if possible[text]]
            if test['valid']:
                row['valid'] += 1
                row['reached'] += bool(some)
                if not some:
                    self.unreached[why_not(file, schema, test['data'])] += 1
                if not some and self.options.verbose:
                    print(f'unreached {name}: {json.dumps(test["data"], ensure_ascii=False)[:80]}: {json.dumps(schema)[:160]}')
            else:
                row['invalid'] += 1
                row['accepted'] += bool(some)
                if some:
                    self.error(f'{name}: {test["description"]}: accepts {some[0]} though it is invalid: {json.dumps(schema)}')
        validator = self.validator(schema)
        for value, some in mutants:
            row['mutants'] += 1
            good = [text for text in some if possible[text]]
            row['mutants_possible'] += bool(good)
            if not good:
                continue
            try:
                validator.validate(json.loads(good[0]))
            except Exception as wrong:  # noqa: BLE001 - whatever is wrong with it
                row['mutants_accepted'] += 1
                self.error(f'{name}: accepts {good[0]}: {str(wrong)[:200]}: {json.dumps(schema)}')

    def table(self):
        total = collections.Counter()
        print(f'{"":36} {"groups":>13} {"valid values":>13} {"invalid ones":>13} {"changed values":>15}')
        print(f'{"file":36} {"taken":>6} {"of":>6} {"possible":>9}{"of":>4} {"accepted":>9}{"of":>4} '
              f'{"possible":>9}{"of":>6} {"wrong":>6}')

        def line(name, row):
            print(f'{name:36} {row["taken"]:6} {row["groups"]:6} {row["reached"]:8}{row["valid"]:5} {row["accepted"]:8}'
                  f'{row["invalid"]:5} {row["mutants_possible"]:9}{row["mutants"]:6} {row["mutants_accepted"]:6}')
        for file, row in self.rows.items():
            total.update(row)
            line(file.removesuffix('.json'), row)
        line('all', total)
        for why, count in self.unreached.most_common():
            print(f'  not possible though valid {count:4}  {why}')
        for why, count in self.refusals.most_common():
            print(f'  refused {count:4}  {why}')
        print(json.dumps({'jsonschema': schema_suite.JSONSCHEMA, 'errors': self.errors, **total}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--atelier', default=str(schema_suite.ROOT / 'build/release/atelier'))
    parser.add_argument('--mutants', type=int, default=40, help='changed values for each schema')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--file', default='', help='only files whose name contains this')
    parser.add_argument('--verbose', action='store_true')
    options = parser.parse_args()
    suite = Suite(options)
    with tempfile.TemporaryDirectory() as folder:
        for file, description, schema, tests in schema_suite.groups():
            if options.file in file:
                suite.group(pathlib.Path(folder), file, description, schema, tests)
    suite.table()
    sys.exit(1 if suite.errors else 0)


if __name__ == '__main__':
    main()
