"""What a run tells, read by the readers of others: TensorBoard's own and wandb's.

Usage: tracking_test.py TRACKING_SAMPLE ROOT PEERS. TRACKING_SAMPLE tracks a run, which is resumed at step 8 of 12; PEERS
holds what tools/fetch_tracking_peers.sh installs. The parts for TensorBoard and wandb run in their environments.
"""
import json
import math
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

LAST, RESUMED = 16, 8


def check(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")


def loss(step):
    return 4.0 / step + (100 if step > RESUMED else 0)


def text(step):
    return f"# 第{step}步\n<b>床前明月光</b>，🌙"


def pixels(step):
    return [[[step * 10 + (y * 3 + x) * 3 + c for c in range(3)] for x in range(3)] for y in range(2)]


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def read_png(data):
    """The pixels of a PNG without interlacing, 8 bits a channel, by Python alone."""
    import zlib
    check("PNG", data[:8], b"\x89PNG\r\n\x1a\n")
    at, packed, head = 8, b"", None
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        head, packed = (body if kind == b"IHDR" else head), packed + (body if kind == b"IDAT" else b"")
        at += 12 + size
    width, height, depth, colour = struct.unpack(">IIBB", head[:10])
    check("PNG's form", (depth, colour), (8, 2))
    raw, rows, before = zlib.decompress(packed), [], [0] * (3 * width)
    for y in range(height):
        line = raw[y * (3 * width + 1):(y + 1) * (3 * width + 1)]
        row = []
        for i, value in enumerate(line[1:]):
            left, up = (row[i - 3] if i >= 3 else 0), before[i]
            corner = before[i - 3] if i >= 3 else 0
            nearest = min((left, up, corner), key=lambda c: abs(left + up - corner - c))
            row.append((value + [0, left, up, (left + up) // 2, nearest][line[0]]) % 256)
        rows.append([row[x * 3:x * 3 + 3] for x in range(width)])
        before = row
    return rows


def tensorboard(folder):
    from tensorboard.backend.event_processing import event_accumulator, event_file_loader, plugin_event_multiplexer
    from tensorboard.plugins.hparams import plugin_data_pb2
    files = sorted(str(path) for path in pathlib.Path(folder).glob("events.out.tfevents.*"))
    check("event files", len(files), 2)

    # Record by record: TensorBoard's loader checks both CRCs of each.
    first, second = [list(event_file_loader.LegacyEventFileLoader(name).Load()) for name in files]
    for events in (first, second):
        check("first record", events[0].file_version, "brain.Event:2")
        check("times", all(1.6e9 < event.wall_time < 4e9 for event in events), True)
        check("times ascend", [e.wall_time for e in events], sorted(e.wall_time for e in events))
    starts = [(e.step, e.session_log.status) for e in first + second if e.HasField("session_log")]
    check("SessionLog START", starts, [(0, 1), (RESUMED + 1, 1)])
    check("steps of the first file", sorted({e.step for e in first}), list(range(13)))
    forms = {(v.image.height, v.image.width, v.image.colorspace) for e in first for v in e.summary.value if v.HasField("image")}
    check("pictures' form", forms, {(2, 3, 3)})
    broken = pathlib.Path(folder) / "broken"
    broken.mkdir()
    data = bytearray(pathlib.Path(files[0]).read_bytes())
    data[-20] ^= 1
    name = broken / pathlib.Path(files[0]).name
    name.write_bytes(data)
    check("records up to a flipped bit", len(list(event_file_loader.LegacyEventFileLoader(str(name)).Load())), len(first) - 1)
    shutil.rmtree(broken)

    # Both as TensorBoard shows it: what was resumed is purged.
    everything = {kind: 0 for kind in ("scalars", "images", "tensors", "histograms")}
    legacy = event_accumulator.EventAccumulator(folder, size_guidance=everything).Reload()
    scalars = {tag: [(e.step, e.value) for e in legacy.Scalars(tag)] for tag in legacy.Tags()["scalars"]}
    steps = range(1, LAST + 1)
    check("train/loss", scalars["train/loss"], [(s, single(loss(s))) for s in steps])
    check("rate", scalars["rate"], [(s, single(1e-3 * s)) for s in steps])
    check("only before", scalars.get("only before", []), [])
    check("odd", [(s, math.isnan(v)) for s, v in scalars["odd"]], [(16, True)])
    check("huge", scalars["huge"], [(16, -math.inf)])
    samples = list(range(4, LAST + 1, 4))
    images = legacy.Images("pictures")
    check("pictures", [(e.step, e.width, e.height) for e in images], [(s, 3, 2) for s in samples])
    check("pixels", [read_png(e.encoded_image_string) for e in images], [pixels(s) for s in samples])
    histograms = legacy.Histograms("weights")
    check("histograms", [(e.step, e.histogram_value.num, e.histogram_value.max) for e in histograms],
          [(s, 100.0, 99.0 * s) for s in samples])
    for event in histograms:
        value = event.histogram_value
        inside = [sum(low < x <= high for x in (i * event.step for i in range(100)))
                  for low, high in zip([-1] + list(value.bucket_limit), value.bucket_limit)]
        check("values in the buckets", sum(value.bucket), 100.0)
        # A value on a limit is below it for TensorBoard, above it for us.
        check("buckets", all(abs(a - b) <= 1 for a, b in zip(inside, value.bucket)), True)
    check("text's plugin", legacy.SummaryMetadata("samples/春").plugin_data.plugin_name, "text")

    # And by the path that its server takes, which turns old forms into new ones, and purges texts, too.
    server = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={name: 0 for name in
                                                                             ("scalars", "images", "text", "hparams")})
    server.AddRunsFromDirectory(str(pathlib.Path(folder).parent))
    server.Reload()
    run = pathlib.Path(folder).name
    for plugin, tag in (("scalars", "train/loss"), ("images", "pictures"), ("text", "samples/春"), ("histograms", "weights")):
        check(plugin, tag in server.PluginRunToTagToContent(plugin)[run], True)
    check("steps for the server", [e.step for e in server.Tensors(run, "train/loss")], list(steps))
    texts = [(e.step, e.tensor_proto.string_val[0].decode()) for e in server.Tensors(run, "samples/春")]
    check("texts", texts, [(s, "".join("    " + line for line in text(s).splitlines(True))) for s in samples])
    content = server.PluginRunToTagToContent("hparams")[run]
    start = plugin_data_pb2.HParamsPluginData.FromString(content["_hparams_/session_start_info"]).session_start_info
    values = {name: value.WhichOneof("kind") and getattr(value, value.WhichOneof("kind")) for name, value in
              start.hparams.items()}
    check("hparams", values, {"seed": 7.0, "model.kind": "gpt", "model.dropout": 0.1, "model.bias": True})
    end = plugin_data_pb2.HParamsPluginData.FromString(content["_hparams_/session_end_info"]).session_end_info
    check("hparams' end", end.status, 1)


def wandb(folder):
    import html
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore
    file, = pathlib.Path(folder).glob("*.wandb")

    def take(items, into):
        for item in items:
            *path, last = item.nested_key or [item.key]
            place = into
            for name in path:
                place = place.setdefault(name, {})
            place[last] = json.loads(item.value_json)
        return into

    store, history, summary, config = DataStore(), {}, {}, {}
    store.open_for_scan(str(file))
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record.FromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "history":
            history[record.history.step.num] = take(record.history.item, {})
        elif kind == "summary":
            take(record.summary.update, summary)
        elif kind in ("run", "config"):
            take(record.run.config.update if kind == "run" else record.config.update, config)
    check("wandb's steps", sorted(history), list(range(1, LAST + 1)))
    for step, values in history.items():
        check("wandb's loss", values["train/loss"], loss(step))
        check("wandb's rate", values["rate"], 1e-3 * step)
        check("wandb's time", 1.6e9 < values["_timestamp"] < 4e9, True)
        if step % 4 == 0:
            picture = pathlib.Path(folder, "files", values["pictures"]["path"]).read_bytes()
            check("wandb's pixels", read_png(picture), pixels(step))
            page = pathlib.Path(folder, "files", values["samples/春"]["path"]).read_text(encoding="utf-8")
            check("wandb's text", html.unescape(page), f"<pre>{text(step)}</pre>")
            check("wandb's histogram", sum(values["weights"]["values"]), 100)
    check("wandb's NaN", isinstance(history[16]["odd"], float) and math.isnan(history[16]["odd"]), True)
    check("wandb's infinity", history[16]["huge"], -math.inf)
    check("nothing superseded", any("only before" in values for values in history.values()), False)
    check("wandb's summary", summary["best"], 0.5)
    check("wandb's config", (config["seed"], config["model"]), (7, {"kind": "gpt", "dropout": 0.1, "bias": True}))


def main(sample, root, peers):
    for name in ("tensorboard", "wandb"):
        if not (peers / f"venv-{name}" / "ready").is_file():
            sys.exit(f"{peers}/venv-{name} is missing; run tools/fetch_tracking_peers.sh {peers}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary, "runs", "run 一")
        subprocess.run([sample, folder], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([peers / "venv-tensorboard/bin/python", __file__, "--tensorboard", folder], check=True)
        out = pathlib.Path(temporary, "out")
        out.mkdir()
        told = subprocess.run([peers / "venv-wandb/bin/python", root / "tools/replay_wandb.py", folder, "--out", out],
                              check=True, stdout=subprocess.PIPE, text=True).stdout
        subprocess.run([peers / "venv-wandb/bin/python", __file__, "--wandb", told.strip().splitlines()[-1]], check=True)
    print("tracking: TensorBoard and wandb read what the run told")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--tensorboard"]:
        tensorboard(sys.argv[2])
    elif sys.argv[1:2] == ["--wandb"]:
        wandb(sys.argv[2])
    elif len(sys.argv) == 4:
        main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    else:
        sys.exit(__doc__)
