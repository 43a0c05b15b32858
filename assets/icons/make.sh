#!/bin/sh
# Draws the application's icons with ImageMagick: the window's mark, an eye that is also a C.
# The PNGs are committed; run this only to change them.
set -eu
cd "$(dirname "$0")"

draw() {
    # Drawn four times larger and scaled down: ImageMagick's own smoothing is rough at small sizes.
    convert -size 2048x2048 xc:none \
        -fill '#151a21' -draw 'roundrectangle 64,64 1983,1983 420,420' \
        -fill '#5b97ff' -draw 'circle 1024,1024 1024,409' \
        -fill '#151a21' -draw 'circle 1024,1024 1024,599' \
        -draw 'polygon 1024,1024 1854,398 1854,1650' \
        -fill '#5b97ff' -draw 'circle 1439,711 1439,616' -draw 'circle 1439,1337 1439,1242' \
        -fill '#e6eaf0' -draw 'circle 1024,1024 1024,860' \
        -filter Lanczos -resize "$1x$1" -strip -define png:color-type=6 "PNG32:$2"
}

draw 32 32x32.png
draw 128 128x128.png
draw 256 128x128@2x.png
draw 512 icon.png
