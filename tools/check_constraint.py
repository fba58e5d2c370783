#!/usr/bin/env python3
"""Holds constrained generation against an independent validator.

    tools/check_constraint.py [-m smollm2] [--generations 10000] [--temperature 1.5]
    tools/check_constraint.py -m gemma3-270m --cli [--generations 10000]

Starts `atelier serve` (or, with --cli, `atelier generate` for every schema), asks for answers under many schemas, each
with every model, and validates every finished text
with PyPI `jsonschema` (draft 2020-12, formats asserted); names that come twice are errors too. Then `atelier schema
check` must say of every text that a reply can be it, and of every text that was cut by the limit that a reply can begin
so. The schemas: those of the JSON-Schema-Test-Suite that are supported (schema_suite.py), real-looking ones, and random
ones. Prints counts; exit code 1 when anything was invalid.
"""
import argparse
import collections
import concurrent.futures
import http.client
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import schema_suite

REAL = [
    {'type': 'object', 'properties': {
        'headline': {'type': 'string', 'minLength': 5, 'maxLength': 60},
        'body': {'type': 'string', 'maxLength': 200},
        'tags': {'type': 'array', 'items': {'type': 'string', 'pattern': '^[a-z][a-z-]{1,15}$'}, 'maxItems': 4},
        'price': {'type': 'number', 'exclusiveMinimum': 0, 'maximum': 9999.99},
        'currency': {'enum': ['CNY', 'EUR', 'USD', '元']}},
     'required': ['headline', 'price', 'currency'], 'additionalProperties': False},
    {'type': 'object', 'properties': {
        'id': {'type': 'string', 'format': 'uuid'}, 'when': {'type': 'string', 'format': 'date-time'},
        'mail': {'type': 'string', 'format': 'email'}, 'site': {'type': 'string', 'format': 'uri'},
        'host': {'type': 'string', 'format': 'ipv4'}, 'day': {'type': 'string', 'format': 'date'}},
     'required': ['id', 'when', 'mail']},
    {'$defs': {'node': {'type': 'object', 'properties': {
        'name': {'type': 'string', 'maxLength': 12},
        'children': {'type': 'array', 'items': {'$ref': '#/$defs/node'}, 'maxItems': 2}}, 'required': ['name', 'children']}},
     '$ref': '#/$defs/node'},
    {'type': 'object', 'additionalProperties': {'type': 'integer', 'minimum': 0, 'maximum': 100}, 'minProperties': 1,
     'maxProperties': 5},
    {'oneOf': [
        {'type': 'object', 'properties': {'kind': {'const': 'circle'}, 'radius': {'type': 'number', 'minimum': 0}},
         'required': ['kind', 'radius'], 'additionalProperties': False},
        {'type': 'object', 'properties': {'kind': {'const': 'box'}, 'width': {'type': 'integer', 'multipleOf': 5},
                                          'height': {'type': 'integer', 'multipleOf': 5}},
         'required': ['kind', 'width', 'height'], 'additionalProperties': False}]},
    {'type': 'array', 'prefixItems': [{'type': 'string', 'maxLength': 8}, {'type': 'integer'}], 'items': False,
     'minItems': 2},
    {'type': 'object', 'patternProperties': {'^[a-c]{1,2}$': {'type': 'boolean'}}, 'additionalProperties': False,
     'minProperties': 3, 'maxProperties': 6},
    {'allOf': [{'$ref': '#/$defs/named'}, {'properties': {'名称': {'maxLength': 6}, 'age': {'type': 'integer', 'minimum': 1,
                                                                                       'maximum': 130}}}],
     '$defs': {'named': {'type': 'object', 'properties': {'名称': {'type': 'string'}}, 'required': ['名称']}}},
    {'type': 'object', 'properties': {'answer': {'type': ['string', 'null'], 'maxLength': 40},
                                      'confidence': {'type': 'number', 'minimum': 0, 'maximum': 1},
                                      'sources': {'type': 'array', 'items': {'type': 'integer', 'minimum': 1}, 'maxItems': 5}},
     'required': ['answer', 'confidence', 'sources'], 'additionalProperties': False},
    {'type': 'string', 'pattern': '^(0[1-9]|1[0-2])/[0-9]{2}$'},
    {'type': 'object'},
]


def random_schema(rng, depth):
    """A schema of the supported part."""
    kinds = ['string', 'integer', 'number', 'boolean', 'null', 'enum', 'const', 'pattern', 'format', 'anyOf', 'types', 'not']
    if depth > 0:
        kinds += ['object', 'object', 'object', 'map', 'array', 'array', 'tuple', 'allOf', 'oneOf', 'counted', 'set', 'contains',
                  'dependent', 'if', 'overlap', 'any']
    kind = rng.choice(kinds)
    sub = lambda: random_schema(rng, depth - 1)
    names = rng.sample(['id', 'name', '名称', 'a/b', 'x"y', 'value', 'items', 'emoji😀', 'n', 'total', ''], rng.randint(1, 4))
    if kind == 'string':
        least = rng.randint(0, 5)
        return {'type': 'string', 'minLength': least, 'maxLength': least + rng.randint(0, 30)}
    if kind in ('integer', 'number'):
        low = round(rng.uniform(-200, 200), rng.randint(0, 3) if kind == 'number' else 0)
        low = int(low) if kind == 'integer' else low
        out = {'type': kind, rng.choice(['minimum', 'exclusiveMinimum']): low}
        if rng.random() < 0.7:
            out[rng.choice(['maximum', 'exclusiveMaximum'])] = low + rng.choice([2, 9, 150, 100000])
        if kind == 'integer' and rng.random() < 0.3 and 'maximum' not in out and 'exclusiveMaximum' not in out:
            out['multipleOf'] = rng.choice([2, 3, 7, 10, 25])
        return out
    if kind in ('boolean', 'null'):
        return {'type': kind}
    if kind == 'enum':
        return {'enum': rng.sample(['a', 'b', '中', 'x y', '"', '\\', 1, 2.5, None, True, [1], {'k': 'v'}, '\n', '😀'], 4)}
    if kind == 'const':
        return {'const': rng.choice(['fixed', 0, None, {'a': [1, {'b': '值'}]}, []])}
    if kind == 'pattern':
        return {'type': 'string', 'pattern': rng.choice(
            ['^[A-Z]{2}[0-9]{4}$', '^(foo|bar)+$', '^\\d{3}-\\d{4}$', '^[一-龥]{2,6}$', 'end$', '^#[0-9a-f]{6}$', '^a.*z$',
             '^[^@ ]+@[^@ ]+$', '^\\w+(\\s\\w+){0,3}$']), 'maxLength': 40}
    if kind == 'format':
        return {'type': 'string', 'format': rng.choice(['date', 'time', 'date-time', 'email', 'uuid', 'ipv4', 'ipv6', 'uri',
                                                        'hostname', 'duration'])}
    if kind == 'types':
        return {'type': rng.sample(['string', 'integer', 'null', 'boolean', 'number'], 2)}
    if kind == 'anyOf':
        return {'anyOf': [random_schema(rng, max(depth - 1, 0)) for _ in range(rng.randint(1, 3))]}
    if kind == 'not':
        return rng.choice([{'type': 'string', 'maxLength': 6, 'not': {'pattern': rng.choice(['^[a-z]', '[0-9]', '中'])}},
                           {'type': 'integer', 'not': {'minimum': rng.randint(-50, 0), 'maximum': rng.randint(0, 50)}},
                           {'enum': ['a', 'b', 1, None], 'not': {'enum': [rng.choice(['a', 1, None]), 'c']}},
                           {'type': ['boolean', 'null'], 'not': {'const': True}}])
    if kind == 'any':  # a list of all types, which takes no other keyword's word back
        return {**random_schema(rng, depth - 1), **rng.choice([
            {'type': ['object', 'array', 'string', 'number', 'boolean', 'null'], 'minLength': 3, 'minimum': 2,
             'required': ['a'], 'properties': {'a': {'type': 'integer'}}, 'minItems': 1},
            {'not': {'enum': []}}, {'not': {'enum': ['a', 1, None]}}])}
    if kind == 'set':
        return {'type': 'array', 'items': {'enum': rng.sample(['new', 'sale', '中', 1, 2.5, None, 'a"b', True], 5)},
                'uniqueItems': True, 'minItems': rng.randint(0, 3)}
    if kind == 'contains':
        return {'type': 'array', 'items': {'type': 'integer'}, 'contains': {'minimum': rng.randint(0, 90)},
                'minContains': rng.randint(0, 2), 'maxItems': 4}
    if kind == 'dependent':
        return {'type': 'object', 'properties': {n: sub() for n in names}, 'dependentRequired': {
            names[0]: [names[-1]]}, 'dependentSchemas': {names[-1]: {'minProperties': 1, 'properties': {'n': sub()}}}}
    if kind == 'if':
        return {'type': 'object', 'properties': {'kind': {'enum': ['card', '现金']}, 'number': {'type': 'integer'},
                                                 'note': sub()}, 'required': ['kind'],
                'if': {'properties': {'kind': {'const': 'card'}}, 'required': ['kind']}, 'then': {'required': ['number']},
                'else': {'properties': {'number': False}}}
    if kind == 'overlap':
        return {'type': 'object', 'properties': {'a': {'type': 'integer', 'minimum': 0}, 'b': sub()},
                'oneOf': [{'required': ['a']}, {'required': ['b']}, {'properties': {'a': {'maximum': 5}}, 'required': ['a', 'b']}]}
    if kind == 'object':
        out = {'type': 'object', 'properties': {n: sub() for n in names}, 'required': rng.sample(names, rng.randint(0, len(names)))}
        extra = rng.random()
        if extra < 0.4:
            out['additionalProperties'] = False
        elif extra < 0.6:
            out['additionalProperties'] = sub()
            out['maxProperties'] = len(names) + 1
        return out
    if kind == 'map':
        return {'type': 'object', 'additionalProperties': sub(), 'maxProperties': rng.randint(1, 3)}
    if kind == 'counted':
        return {'type': 'object', 'properties': {n: sub() for n in names}, 'minProperties': 1, 'maxProperties': len(names)}
    if kind == 'array':
        least = rng.randint(0, 2)
        return {'type': 'array', 'items': sub(), 'minItems': least, 'maxItems': least + rng.randint(0, 3)}
    if kind == 'tuple':
        return {'type': 'array', 'prefixItems': [sub(), sub()], 'items': False, 'minItems': rng.randint(0, 2)}
    if kind == 'allOf':
        return {'allOf': [{'type': 'object', 'properties': {'a': sub()}, 'required': ['a']}, {'properties': {'b': sub()}}]}
    return {'oneOf': [{'type': 'object', 'properties': {'t': {'const': t}, 'v': sub()}, 'required': ['t', 'v'],
                       'additionalProperties': False} for t in ('x', 'y')]}


def all_schemas(options):
    """(name, schema) of those that are kept; counts those that are not."""
    rng = random.Random(options.seed)
    kinds = options.kinds.split(',')
    schemas = []
    if 'real' in kinds:
        schemas += [(f'real {i}', schema) for i, schema in enumerate(REAL)]
    if 'suite' in kinds:
        schemas += [(f'{file}: {description}', schema) for file, description, schema, _ in schema_suite.groups()]
    if 'random' in kinds:
        schemas += [(f'random {i}', random_schema(rng, 3)) for i in range(options.random)]
    kept = []
    with tempfile.TemporaryDirectory() as folder:
        for name, schema in schemas:
            if not isinstance(schema, bool) and 'error' not in possible(options, folder, schema, []):
                kept.append((name, schema))
    return kept, len(schemas)


def possible(options, folder, schema, texts):
    """What `atelier schema check` says."""
    at = pathlib.Path(folder)
    (at / 'schema.json').write_text(json.dumps(schema, ensure_ascii=False), encoding='utf-8')
    (at / 'texts').write_text(''.join(f'{text}\n' for text in texts), encoding='utf-8')
    done = subprocess.run([options.atelier, 'schema', 'check', str(at / 'schema.json'), '--texts', str(at / 'texts'),
                           '--json'], capture_output=True, text=True)
    return json.loads(done.stdout)


def end_bias(options, model):
    """Makes tokens that end a string likelier: at a high temperature a string without a limit would hardly end."""
    ends = ['"', '",', '"}', '"]', '":']
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / 'ends'
        file.write_text('\n'.join(ends))
        said = subprocess.run([options.atelier, 'tokenize', '-m', model, '--text', str(file), '--json'], check=True,
                              capture_output=True, text=True)
    return {str(ids[0]): options.end_bias for ids in json.loads(said.stdout)['ids'] if len(ids) == 1}


class Server:
    def __init__(self, options, folder):
        subprocess.run([options.atelier, 'init', str(folder)], check=True, capture_output=True)
        for model in options.models.split(','):
            subprocess.run([options.atelier, 'model', 'pull', model, '--accept-terms', '--studio', str(folder)], check=True,
                           capture_output=True)
        self.process = subprocess.Popen(
            [options.atelier, 'serve', '--studio', str(folder), '--listen', '127.0.0.1:0', '--json', '-t',
             str(options.threads)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(json.loads(self.process.stdout.readline())['url'].rsplit(':', 1)[1])

    def answers(self, options, model, bias, schema, count, seed):
        """(text, finish) of each answer."""
        body = {'model': model, 'messages': [{'role': 'user', 'content': options.prompt}], 'n': count, 'seed': seed,
                'temperature': options.temperature, 'max_tokens': options.max_tokens, 'logit_bias': bias,
                'response_format': {'type': 'json_schema', 'json_schema': {'name': 'it', 'schema': schema}}}
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=1200)
        connection.request('POST', '/v1/chat/completions', json.dumps(body))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        if 'error' in answer:
            raise RuntimeError(json.dumps(answer['error']))
        return [(choice['message']['content'], choice['finish_reason']) for choice in answer['choices']]

    def running(self):
        return self.process.poll() is None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


class Program:
    """The same by `atelier generate`: for models without a chat template."""

    def __init__(self, options, folder):
        self.folder = folder

    def answers(self, options, model, bias, schema, count, seed):
        file = pathlib.Path(self.folder) / f'{seed}.json'
        file.write_text(json.dumps(schema, ensure_ascii=False), encoding='utf-8')
        command = [options.atelier, 'generate', '-m', model, '-p', f'{options.prompt}\n', '--schema', str(file), '-n',
                   str(count), '--temperature', str(options.temperature), '--max-tokens', str(options.max_tokens),
                   '--seed', str(seed), '--json', '-t', str(options.threads)]
        for token, value in bias.items():
            command += ['--logit-bias', f'{token}={value}']
        done = subprocess.run(command, capture_output=True, text=True)
        file.unlink()
        if done.returncode != 0:
            raise RuntimeError(f'exit {done.returncode}: {done.stdout[:300]} {done.stderr[-300:]}')
        named = {'end': 'stop', 'length': 'length'}
        return [(sample['text'], named.get(sample['finish'])) for sample in json.loads(done.stdout)['samples']]

    def running(self):
        return True

    def stop(self):
        pass


def no_twice(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError('a name comes twice')
    return out


class Check:
    def __init__(self, options):
        self.options = options
        self.counts = collections.Counter()
        self.cut = collections.Counter()  # by schema
        self.started = time.time()

    def fault(self, kind, line):
        self.counts[kind] += 1
        print(f'{kind.upper()} {line}', flush=True)

    def judge(self, name, schema, answers):
        import jsonschema
        validator = jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        with tempfile.TemporaryDirectory() as folder:
            # A cut inside a character leaves U+FFFD in its place, which nobody drew.
            answers = [(text.removesuffix('\ufffd') if finish == 'length' else text, finish) for text, finish in answers]
            said = possible(self.options, folder, schema, [text for text, _ in answers])['texts']
        for (text, finish), line in zip(answers, said, strict=True):
            self.counts['generations'] += 1
            if finish == 'length':
                self.counts['cut'] += 1
                self.cut[name] += 1
                if line['bytes'] != len(text.encode()):
                    self.fault('impossible', f'{name}: {text!r} after byte {line["bytes"]}: {json.dumps(schema)[:400]}')
                continue
            if finish != 'stop' or not line['possible']:
                self.fault('impossible', f'{name}: {text!r}, {finish}: {json.dumps(schema)[:400]}')
            try:
                validator.validate(json.loads(text, object_pairs_hook=no_twice))
                self.counts['valid'] += 1
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it
                self.fault('invalid', f'{name}: {text!r}: {str(error)[:200]}: {json.dumps(schema)[:400]}')

    def run(self, server, model, schemas, each):
        bias = end_bias(self.options, model)

        def ask(entry):
            number, (_, schema) = entry
            return [answer for part in range(0, each, 64)
                    for answer in server.answers(self.options, model, bias, schema, min(64, each - part),
                                                 self.options.seed * 1000003 + number * 101 + part)]
        with concurrent.futures.ThreadPoolExecutor(self.options.at_once) as pool:
            waiting = [(entry, pool.submit(ask, entry)) for entry in enumerate(schemas)]
            for (number, (name, schema)), future in waiting:
                try:
                    self.judge(name, schema, future.result())
                except Exception as error:  # noqa: BLE001 - a crash of the server too
                    self.fault('errors', f'{name}: {error}: {json.dumps(schema)[:400]}')
                    if not server.running() or self.counts['errors'] > 20:
                        raise
                if number % 25 == 24:
                    print(f'  {model} {number + 1}/{len(schemas)} {dict(self.counts)} {time.time() - self.started:.0f} s',
                          file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--atelier', default=str(schema_suite.ROOT / 'build/release/atelier'))
    parser.add_argument('-m', '--models', default='smollm2', help='names, with commas between them')
    parser.add_argument('-p', '--prompt', default='Give me an example as JSON.')
    parser.add_argument('--generations', type=int, default=2000, help='of all models together, at least')
    parser.add_argument('--random', type=int, default=150, help='random schemas')
    parser.add_argument('--every', type=int, default=1, help='only every such schema, for models that are slow to load')
    parser.add_argument('--kinds', default='real,suite,random')
    parser.add_argument('--temperature', type=float, default=1.5)
    parser.add_argument('--max-tokens', type=int, default=192)
    parser.add_argument('--end-bias', type=float, default=4, help='added to the logits of tokens that end a string')
    parser.add_argument('--cli', action='store_true', help='by `atelier generate`, for models without a chat template')
    parser.add_argument('--at-once', type=int, default=3, help='requests')
    parser.add_argument('-t', '--threads', type=int, default=0)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    models = options.models.split(',')
    schemas, asked = all_schemas(options)
    schemas = schemas[::options.every]
    each = -(-options.generations // (len(schemas) * len(models)))
    check = Check(options)
    with tempfile.TemporaryDirectory() as folder:
        server = (Program if options.cli else Server)(options, folder)
        try:
            for model in models:
                check.run(server, model, schemas, each)
        finally:
            server.stop()
    print('cut most often:', dict(check.cut.most_common(8)))
    print(json.dumps({'models': models, 'jsonschema': schema_suite.JSONSCHEMA, 'temperature': options.temperature,
                      'max_tokens': options.max_tokens, 'schemas_asked': asked, 'schemas_used': len(schemas),
                      'seconds': round(time.time() - check.started), **check.counts}))
    sys.exit(1 if check.counts['invalid'] + check.counts['impossible'] + check.counts['errors'] else 0)


if __name__ == '__main__':
    main()
