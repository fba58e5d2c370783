"""The JSON-Schema-Test-Suite, draft 2020-12, as the source package of PyPI's jsonschema carries it: fetched by pip into
build/peer/ when it is not there, never committed."""
import json
import pathlib
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
JSONSCHEMA = '4.26.0'


def groups():
    """(file, description, schema, tests) of every group, without the optional ones that are not about formats."""
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
                out.append((member.split('draft2020-12/')[1], group['description'], group['schema'], group['tests']))
    return out
