#!/bin/busybox sh
# The first process of an emulated machine: it mounts the disk, runs what is to be run, and ends.

for directory in proc sys dev root; do
    /bin/busybox mkdir -p "/$directory"
done
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in $(cat /modules/order); do
    insmod "/modules/$module" || echo "$module cannot be loaded"
done
if mount -t ext4 /dev/vda /root; then
    for directory in proc sys dev; do
        mount -o move "/$directory" "/root/$directory"
    done
    mkdir -p /root/dev/shm
    mount -t tmpfs tmpfs /root/dev/shm
    chroot /root /bin/sh /jobs
    sync
else
    echo "the disk cannot be mounted"
fi
poweroff -f
