#!/bin/sh
# cross.sh ARCH CONTROL: whether Debian packages for ARCH (a name that dpkg knows: arm64) can be made on this
# machine from CONTROL; what is missing is named, with the lines that install it. Where ARCH is the machine's own
# dpkg-buildpackage says all that itself.
set -eu
arch=$1 control=$2
for tool in dpkg-architecture dpkg-checkbuilddeps; do
	command -v $tool >/dev/null || { echo "deb: no $tool here; it is in dpkg-dev, of Debian and Ubuntu" >&2 && exit 1; }
done
[ "$arch" != "$(dpkg --print-architecture)" ] || exit 0
known=$(sed -n '/^Architecture: /{s///;p;q;}' "$control")
case " $known " in
*" $arch "*) ;;
*) echo "deb: packages are made for $(echo "$known" | sed 's/ / and /g'), not for '$arch'" >&2 && exit 1 ;;
esac
type=$(dpkg-architecture -f -a "$arch" -q DEB_HOST_GNU_TYPE 2>/dev/null)

missing=
command -v "$type-gcc" >/dev/null || missing=" crossbuild-essential-$arch"
# A package of the machine's own is `name:native` there and has no suffix here; one for all machines has none either.
for package in $(dpkg-checkbuilddeps -a "$arch" -P cross,nocheck "$control" 2>&1 |
	sed -n 's/.*[Uu]nmet build dependencies: //p' | sed 's/ *([^)]*)//g'); do
	case $package in
	debhelper-compat) package=debhelper ;;
	*:native) package=${package%:native} ;;
	*) package=$package:$arch ;;
	esac
	missing="$missing $package"
done
[ -n "$missing" ] || exit 0
{
	echo "deb: packages for $arch need more than is here; as root:"
	dpkg --print-foreign-architectures | grep -qx "$arch" || echo "  dpkg --add-architecture $arch && apt-get update"
	echo "  apt-get install --no-install-recommends$missing"
} >&2
exit 1
