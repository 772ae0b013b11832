#!/bin/sh
# Dumps the databases of a running suite into a new folder: deploy/backup.sh FOLDER
# libpq's variables say where the server is (PGHOST, PGPORT, PGUSER, PGPASSWORD); KEHU_DATABASES may name other databases.
# The order matters: an event that leaves a producer's outbox meanwhile is found in the log, or is published again and
# passes by there. The embedded bus comes last, so that no consumer has read further than it reaches.
set -eu
umask 077
folder=${1:?usage: deploy/backup.sh FOLDER}
mkdir "$folder"
for name in ${KEHU_DATABASES:-identity customer reporting console notify audit}; do
  pg_dump --format=custom --dbname="$name" --file="$folder/$name.dump"
done
(cd "$folder" && sha256sum -- *.dump >SHA256SUMS)
