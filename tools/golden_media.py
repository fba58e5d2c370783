"""Writes tests/golden/media/media.json: small pictures as files, and what Pillow (for hues Python's colorsys, for alpha
numpy) makes of them: decoded, turned upright, resized, in other colours. Pixels are hex, row by row.

Usage: golden_media.py   (tools/golden.sh media makes the environment)
"""
import base64
import colorsys
import io
import json
import pathlib
import sys

import numpy
import PIL
from PIL import Image, ImageEnhance, ImageOps

HERE = pathlib.Path(__file__).resolve().parent.parent / 'tests/golden/media'
WIDTH, HEIGHT = 23, 17


def drawing(channels):
    """Slopes, edges and a little noise, so that every operation has something to show."""
    rng = numpy.random.default_rng(7)
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [x * 255 / (WIDTH - 1), y * 255 / (HEIGHT - 1), 255 * ((x // 4 + y // 3) % 2), 255 - (x + y) * 255 / (WIDTH + HEIGHT - 2)]
    planes = [planes[0]] if channels == 1 else [planes[0], planes[3]] if channels == 2 else planes[:channels]
    array = numpy.stack([numpy.clip(p + rng.normal(0, 6, p.shape), 0, 255) for p in planes], axis=2).astype(numpy.uint8)
    if channels in (2, 4):
        array[:3, :5, -1] = 0
        array[-3:, -5:, -1] = 255
    return Image.fromarray(array[:, :, 0] if channels == 1 else array, {1: 'L', 2: 'LA', 3: 'RGB', 4: 'RGBA'}[channels])


def plain(image):
    return {'width': image.width, 'height': image.height, 'channels': len(image.getbands()),
            'pixels': image.tobytes().hex()}


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def exif(orientation):
    made = Image.Exif()
    made[274] = orientation
    return made


def files():
    grey, grey_alpha, rgb, rgba = (drawing(c) for c in (1, 2, 3, 4))
    yield 'grey.png', saved(grey, 'PNG'), 0
    yield 'grey_alpha.png', saved(grey_alpha, 'PNG'), 0
    yield 'rgb.png', saved(rgb, 'PNG'), 0
    yield 'rgba.png', saved(rgba, 'PNG'), 0
    yield 'bits.png', saved(grey.convert('1'), 'PNG'), 0
    yield 'palette.png', saved(rgb.quantize(11), 'PNG'), 0
    transparent = rgb.quantize(9)
    yield 'palette_transparent.png', saved(transparent, 'PNG', transparency=bytes([0, 128, 255, 255, 40])), 0
    yield 'rgb_transparent.png', saved(rgb, 'PNG', transparency=rgb.getpixel((3, 3))), 0
    yield 'quality.jpg', saved(rgb, 'JPEG', quality=95, subsampling=0), 0
    yield 'usual.jpg', saved(rgb, 'JPEG'), 1
    yield 'progressive.jpg', saved(rgb, 'JPEG', progressive=True), 1
    yield 'grey.jpg', saved(grey, 'JPEG'), 0
    yield 'lossless.webp', saved(rgb, 'WEBP', lossless=True), 0
    yield 'lossless_alpha.webp', saved(rgba, 'WEBP', lossless=True, exact=True), 0
    yield 'lossy.webp', saved(rgb, 'WEBP', quality=80), 1
    small = rgb.crop((0, 0, 5, 3))
    for orientation in range(1, 9):
        yield f'turned_{orientation}.png', saved(small, 'PNG', exif=exif(orientation)), 0
    yield 'turned_6.jpg', saved(rgb, 'JPEG', exif=exif(6)), 1
    yield 'turned_8.webp', saved(rgb, 'WEBP', lossless=True, exif=exif(8)), 0


def decoded(data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode == '1':
        image = image.convert('L')
    if image.mode == 'P' or 'transparency' in image.info:
        image = image.convert('RGBA' if 'transparency' in image.info else 'RGB')
    return plain(image)


def hue(image, turns):
    out = image.copy()
    for y in range(image.height):
        for x in range(image.width):
            h, s, v = colorsys.rgb_to_hsv(*(c / 255 for c in image.getpixel((x, y))))
            out.putpixel((x, y), tuple(int(c * 255 + 0.5) for c in colorsys.hsv_to_rgb((h + turns) % 1, s, v)))
    return out


def contrast_by_alpha(image, factor):
    array = numpy.asarray(image).astype(float)
    luma = numpy.asarray(image.convert('RGB').convert('L')).astype(float)
    mean = int((luma * array[:, :, 3]).sum() / array[:, :, 3].sum() + 0.5)
    array[:, :, :3] = numpy.clip(mean + factor * (array[:, :, :3] - mean), 0, 255) + 0.5
    return Image.fromarray(array.astype(numpy.uint8), 'RGBA')


def main():
    golden = {'pillow': PIL.__version__, 'numpy': numpy.__version__, 'python': sys.version.split()[0],
              'files': [], 'resize': [], 'colour': []}
    for name, data, tolerance in files():
        golden['files'].append({'name': name, 'bytes': base64.b64encode(data).decode(), 'tolerance': tolerance, **decoded(data)})
    golden['unsupported'] = [
        {'name': 'cmyk.jpg', 'bytes': base64.b64encode(saved(drawing(3).convert('CMYK'), 'JPEG')).decode()},
        {'name': 'two.gif', 'bytes': base64.b64encode(saved(drawing(3), 'GIF')).decode()},
        {'name': 'animated.webp', 'bytes': base64.b64encode(
            saved(drawing(3), 'WEBP', save_all=True, append_images=[drawing(3).rotate(180)])).decode()}]
    for channels in (1, 2, 3, 4):
        image = drawing(channels)
        for box in ((0, 0, WIDTH, HEIGHT), (2, 3, 15, 14), (22, 0, 23, 17)):
            for size in ((WIDTH, HEIGHT), (7, 40), (5, 4), (1, 1)):
                golden['resize'].append({'channels': channels, 'box': box, **plain(image.crop(box).resize(size, Image.BILINEAR))})
    for channels in (1, 3):
        image = drawing(channels)
        for factor in (0, 0.5, 1, 1.3, 2.5):
            for name, enhance in (('brightness', ImageEnhance.Brightness), ('contrast', ImageEnhance.Contrast),
                                  ('saturation', ImageEnhance.Color)):
                golden['colour'].append({'name': name, 'by': factor, **plain(enhance(image).enhance(factor))})
    for turns in (-0.5, -0.05, 1 / 3, 0.1):
        golden['colour'].append({'name': 'hue', 'by': turns, **plain(hue(drawing(3), turns))})
    golden['colour'].append({'name': 'contrast', 'by': 0.6, **plain(contrast_by_alpha(drawing(4), 0.6))})
    HERE.mkdir(parents=True, exist_ok=True)
    (HERE / 'media.json').write_text(json.dumps(golden, separators=(',', ':')).replace('},{', '},\n{') + '\n')


main()
