#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/neon/root.sh FOLDER: unpacks Debian's arm64 libraries and headers below FOLDER, for a cross
# compiler and qemu. Nothing is installed and no right is needed: apt works out what belongs
# together, as if for an empty arm64 machine, in a state of its own below FOLDER.
set -eu
root=$1
packages="libc6-dev libsqlite3-dev libyaml-dev libjansson-dev libhwloc-dev libopenblas-dev
    libmd4c-dev libmd4c-html0-dev libcmocka-dev"
[ ! -e "$root/complete" ] || exit 0

missing=
for tool in aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu qemu-aarch64:qemu-user apt-get:apt dpkg-deb:dpkg; do
    command -v "${tool%%:*}" >/dev/null 2>&1 || missing="$missing ${tool##*:}"
done
if [ -n "$missing" ]; then
    echo "tests for NEON need what this machine lacks; install it with: sudo apt-get install$missing" >&2
    exit 1
fi

mkdir -p "$root/apt/lists/partial" "$root/apt/archives/partial"
root=$(cd "$root" && pwd)
: >"$root/apt/status"
arm64() {   # apt-get for that machine
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root \
        -o Dir::State="$root/apt" -o Dir::State::status="$root/apt/status" -o Dir::Cache="$root/apt" \
        -o Debug::NoLocking=1 "$@"
}
echo "fetching arm64 libraries into $root"
arm64 update
# shellcheck disable=SC2086  # a list of packages
arm64 install -y --download-only --no-install-recommends $packages

# /lib is a link to /usr/lib there as here, which packages do not know.
mkdir -p "$root/usr/lib" "$root/etc"
ln -sfn usr/lib "$root/lib"
for package in "$root"/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$root"
done
# Links that name a place from / on mean the place below FOLDER.
find "$root/usr/lib" -lname '/*' | while read -r link; do ln -sf "$root$(readlink "$link")" "$link"; done
# Which BLAS is used is chosen when it is installed, so it is chosen here.
cd "$root/usr/lib/aarch64-linux-gnu"
ln -sf openblas-pthread/libopenblas.so openblas-pthread/libopenblas.so.0 .
ln -sf ../openblas-pthread/pkgconfig/openblas.pc pkgconfig/
rm -rf "$root/apt"
touch "$root/complete"
