#!/usr/bin/env python3
"""Holds constrained generation against an independent validator.

    tools/check_constraint.py -m smollm2 [--generations 20000] [--temperature 1.5] [--kinds suite,real,random]
    tools/check_constraint.py -m smollm2 --bench

Generates with the real program over many schemas and validates every finished text with PyPI `jsonschema` (draft
2020-12), names that come twice counting as errors. The schemas: those of the JSON-Schema-Test-Suite, which jsonschema's
source package carries (fetched by pip into build/peer/), real-looking ones, and random ones. A schema that is refused as
contradictory though its test suite has a valid value for it counts as an error too. Prints counts; exit code 1 when
anything was invalid. With --bench: decoding speed, free and constrained by turns, and the ratio of medians.
"""
import argparse
import json
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
JSONSCHEMA = '4.26.0'

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
    kinds = ['string', 'integer', 'number', 'boolean', 'null', 'enum', 'const', 'pattern', 'format', 'anyOf', 'types']
    if depth > 0:
        kinds += ['object', 'object', 'object', 'map', 'array', 'array', 'tuple', 'allOf', 'oneOf', 'counted']
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


def suite_schemas():
    """(schema, valid values) of the test suite's draft 2020-12, without those that need other documents."""
    folder = ROOT / 'build' / 'peer'
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f'jsonschema-{JSONSCHEMA}.tar.gz'
    if not archive.exists():
        subprocess.run([sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps', '--no-binary', 'jsonschema',
                        '--dest', str(folder), f'jsonschema=={JSONSCHEMA}'], check=True)
    out = []
    with tarfile.open(archive) as tar:
        for member in sorted(tar.getnames()):
            if '/json/tests/draft2020-12/' not in member or not member.endswith('.json'):
                continue
            if '/optional/' in member and '/optional/format' not in member:
                continue
            for group in json.load(tar.extractfile(member)):
                valid = [test['data'] for test in group['tests'] if test['valid']]
                out.append((f"{member.split('draft2020-12/')[1]}: {group['description']}", group['schema'], valid))
    return out


def no_twice(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError('a name comes twice')
    return out


def generate(options, schema_file, count, seed):
    command = [options.atelier, 'generate', '-m', options.model, '-p', options.prompt, '--schema', str(schema_file), '-n',
               str(count), '--temperature', str(options.temperature), '--max-tokens', str(options.max_tokens), '--seed',
               str(seed), '--json', '-t', str(options.threads)]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return {'error': {'code': 'crash', 'message': f'exit {done.returncode}: {done.stderr[-300:]}'}}


def check(options):
    import jsonschema
    rng = random.Random(options.seed)
    kinds = options.kinds.split(',')
    schemas = []
    if 'real' in kinds:
        schemas += [(f'real {i}', s, []) for i, s in enumerate(REAL)]
    if 'suite' in kinds:
        schemas += suite_schemas()
    if 'random' in kinds:
        schemas += [(f'random {i}', random_schema(rng, 3), []) for i in range(options.random)]
    counts = {'schemas': 0, 'schemas_refused': 0, 'generations': 0, 'valid': 0, 'truncated': 0, 'invalid': 0, 'errors': 0}
    refusals, kept = {}, 0
    started = time.time()
    each = max(1, options.generations // len(schemas))
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / 'schema.json'
        for number, (name, schema, valid) in enumerate(schemas):
            file.write_text(json.dumps(schema, ensure_ascii=False), encoding='utf-8')
            counts['schemas'] += 1
            left = options.generations - counts['generations']
            each = max(1, min(256, -(-left // (len(schemas) - number))))
            result = generate(options, file, each, options.seed + number)
            if 'error' in result:
                error = result['error']
                if error['code'] == 'unsupported' or (error['code'] == 'invalid_input' and 'schema:' in error['message']):
                    counts['schemas_refused'] += 1
                    if 'nothing can satisfy' in error['message'] and valid:
                        counts['errors'] += 1
                        print(f'CONTRADICTION? {name}: {error["message"]}: {json.dumps(schema)}; valid: {valid[0]!r}')
                    if options.verbose:
                        print(f'refused {name}: {error["message"]}')
                    why = error['message'].split(': ', 2)[-1]
                    refusals[why] = refusals.get(why, 0) + 1
                else:
                    counts['errors'] += 1
                    print(f'ERROR {name}: {error}: {json.dumps(schema)}')
                continue
            kept += 1
            validator = jsonschema.Draft202012Validator(
                schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
            for sample in result['samples']:
                counts['generations'] += 1
                if sample['finish'] == 'length':
                    counts['truncated'] += 1
                    continue
                try:
                    validator.validate(json.loads(sample['text'], object_pairs_hook=no_twice))
                    counts['valid'] += 1
                except Exception as error:  # noqa: BLE001 - whatever is wrong with it
                    counts['invalid'] += 1
                    print(f'INVALID {name}: {sample["text"]!r}: {str(error)[:200]}: {json.dumps(schema)[:400]}')
            if not options.quiet and number % 25 == 24:
                print(f'  {number + 1}/{len(schemas)} {counts} {time.time() - started:.0f} s', file=sys.stderr)
    for why, count in sorted(refusals.items(), key=lambda entry: -entry[1])[:25]:
        print(f'  refused {count:4}  {why}')
    counts['schemas_kept'] = kept
    counts['seconds'] = round(time.time() - started)
    print(json.dumps(counts))
    return 1 if counts['invalid'] or counts['errors'] else 0


BENCH = {
    'strings': {'type': 'array', 'items': {'type': 'string', 'minLength': 200}, 'minItems': 1000},
    'records': {'type': 'array', 'minItems': 1000, 'items': {'type': 'object', 'properties': {
        'name': {'type': 'string', 'maxLength': 40}, 'age': {'type': 'integer', 'minimum': 0, 'maximum': 120},
        'tags': {'type': 'array', 'items': {'enum': ['new', 'sale', 'best']}, 'maxItems': 3}},
        'required': ['name', 'age', 'tags'], 'additionalProperties': False}},
    'maps': {'type': 'array', 'minItems': 1000, 'items': {'type': 'object', 'minProperties': 2,
                                                         'additionalProperties': {'type': 'integer'}}},
}


def bench(options):
    """Decoding speed by turns, of medians. On a machine that others use too, wall time says little: --cpu counts the
    program's own processor time on one thread instead, less that of a run which only loads and reads the prompt."""
    def cpu(command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, result

    with tempfile.TemporaryDirectory() as folder:
        speeds = {'free': []}
        for name, schema in BENCH.items():
            (pathlib.Path(folder) / f'{name}.json').write_text(json.dumps(schema))
            speeds[name] = []
        for _ in range(options.rounds):
            for name in speeds:
                command = [options.atelier, 'generate', '-m', options.model, '-p', options.prompt, '-n', str(options.samples),
                           '--temperature', str(options.temperature), '--seed', '1', '--json']
                command += ['-t', '1'] if options.cpu else []
                command += ['--ignore-end'] if name == 'free' else ['--schema', f'{folder}/{name}.json']
                seconds, result = cpu(command + ['--max-tokens', str(options.max_tokens)])
                if options.cpu:
                    start, first = cpu(command + ['--max-tokens', '1'])
                    speeds[name].append((result['output_tokens'] - first['output_tokens']) / (seconds - start))
                else:
                    speeds[name].append(result['output_tokens'] / result['decode_seconds'])
        free = statistics.median(speeds['free'])
        for name, values in speeds.items():
            ratio = statistics.median(values) / free
            print(f'{name:10} {statistics.median(values):8.1f} tokens/s   {ratio:.3f} of free   {[round(v) for v in values]}')
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--atelier', default=str(ROOT / 'build/release/atelier'))
    parser.add_argument('-m', '--model', default='smollm2')
    parser.add_argument('-p', '--prompt', default='An example as JSON: ')
    parser.add_argument('--generations', type=int, default=2000)
    parser.add_argument('--random', type=int, default=150, help='random schemas')
    parser.add_argument('--kinds', default='real,suite,random')
    parser.add_argument('--temperature', type=float, default=1.5)
    parser.add_argument('--max-tokens', type=int, default=128)
    parser.add_argument('-t', '--threads', type=int, default=1)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--bench', action='store_true')
    parser.add_argument('--cpu', action='store_true', help='with --bench: processor time on one thread')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--samples', type=int, default=1)
    parser.add_argument('--quiet', action='store_true')
    parser.add_argument('--verbose', action='store_true')
    options = parser.parse_args()
    sys.exit(bench(options) if options.bench else check(options))


if __name__ == '__main__':
    main()
