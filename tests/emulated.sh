#!/bin/sh
# emulated.sh FOLDER [COMMAND…]: the library and its tests on aarch64, on a whole emulated machine with Debian's
# kernel (qemu-user has neither ptrace nor process_vm_readv, and its /proc tells the host's system calls). In
# FOLDER/root a tree of Debian 12 is made once, by debootstrap; all is compiled across, against that tree, into
# build-arm64; then the machine starts from memory with this tree under its own path, and runs the command in it
# ($B is the build): by default samples and cases. Its status is the command's. All that was measured there:
#   tests/emulated.sh FOLDER '$B/tests/unit/run; tests/conformance/run.sh $B; tests/run-cases.sh $B;
#     for script in tests/e2e/attach_*.sh tests/e2e/core_*.sh tests/e2e/report_*.sh tests/e2e/run.sh; do $script $B; done'
# Root, a network, and debootstrap, cpio, gcc-aarch64-linux-gnu, g++-aarch64-linux-gnu, qemu-user-static,
# qemu-system-arm; /proc/sys/fs/binfmt_misc must know aarch64, with the flag F. Half an hour, for all some hours.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { echo "usage: emulated.sh FOLDER [COMMAND...]" >&2 && exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
# shellcheck disable=SC2016 # the machine's own variable
[ $# -gt 0 ] || set -- 'tests/samples.sh $B && tests/run-cases.sh $B'
tree=$PWD root=$folder/root build=build-arm64
MODULES="netfs fscache 9pnet virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci 9pnet_virtio 9p"
PACKAGES="libc6-dev libstdc++-12-dev libunwind-dev uthash-dev check pkg-config libdw-dev libelf-dev libjansson-dev jq
	binutils procps python3 libglib2.0-0 libgomp1 busybox-static gcc g++ gdb file libxml2-utils git
	xz-utils pbzip2 memcached redis-server"
mirror=$(sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -n 1)

# The tree, and the kernel beside it.
if [ ! -e "$folder/made" ]; then
	debootstrap --arch=arm64 --variant=minbase bookworm "$root" "$mirror"
	cp /etc/resolv.conf "$root/etc/"
	# shellcheck disable=SC2086 # words
	chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $PACKAGES
	kernel=$(chroot "$root" apt-cache depends linux-image-arm64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\).*/\1/p' | head -n 1)
	chroot "$root" sh -c "cd /var/cache/apt && apt-get download $kernel"
	for package in "$root"/var/cache/apt/linux-image-*.deb; do dpkg -x "$package" "$folder/kernel"; done
	touch "$folder/made"
fi

# Compiled across: the machine's own compiler would take hours.
libraries=$root/usr/lib/aarch64-linux-gnu
make -j"$(nproc)" O=$build CC="aarch64-linux-gnu-gcc --sysroot=$root" CXX="aarch64-linux-gnu-g++ --sysroot=$root" \
	LDFLAGS="-L$libraries -B$libraries -Wl,-rpath-link,$libraries" all test-programs

# What the machine starts from: the tree, and a first process that mounts this one.
start=$folder/start
rm -rf "$start"
mkdir -p "$start/proc" "$start/sys" "$start/dev" "$start/tmp" "$start/m" "$folder/out"
for module in $MODULES; do find "$folder/kernel/" -name "$module.ko" -exec cp {} "$start/m/" \;; done
{
	printf '%s\n' '#!/bin/sh' "B=$build"
	printf '%s\n' "$*"
} >"$folder/out/command"
cat >"$start/init" <<EOF
#!/bin/sh
# the unit tests have limits for real machines
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root CK_TIMEOUT_MULTIPLIER=30
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm '$tree' /out
mount -t devpts pts /dev/pts; mount -t tmpfs shm /dev/shm; mount -t tmpfs tmp /tmp
for module in $MODULES; do busybox insmod /m/\$module.ko; done
busybox ifconfig lo up
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose tree '$tree'
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out /out
cd '$tree' && sh /out/command; echo \$? >/out/status
sync; busybox poweroff -f
EOF
chmod +x "$start/init"
(cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./var/cache -o \
	-path ./var/lib/apt -o -path ./usr/share/doc -o -path ./usr/share/locale -o -path ./usr/share/man \) -prune -o \
	-print | cpio -o -H newc --quiet) >"$folder/memory.cpio"
(cd "$start" && find . | cpio -o -H newc --quiet) >>"$folder/memory.cpio"
rm -f "$folder/out/status"
share() { echo "-fsdev local,id=$1,path=$2,security_model=none -device virtio-9p-pci,fsdev=$1,mount_tag=$1"; }
# shellcheck disable=SC2046 # words
qemu-system-aarch64 -M virt,gic-version=3 -cpu max,pauth-impdef=on -smp 2 -m 6000 -nographic -no-reboot -net none \
	-kernel "$(echo "$folder"/kernel/boot/vmlinuz-*)" -initrd "$folder/memory.cpio" \
	-append 'console=ttyAMA0 quiet panic=-1 rdinit=/init' \
	$(share tree "$tree") $(share out "$folder/out") </dev/null
[ -s "$folder/out/status" ] || { echo "emulated: the machine did not come to the command's end" >&2 && exit 1; }
exit "$(cat "$folder/out/status")"
