#!/bin/sh
# Puts the dumps of deploy/backup.sh into databases that exist and are empty: deploy/restore.sh FOLDER
# As the superuser, with libpq's variables; each database goes in whole or not at all. Services must not run.
set -eu
folder=${1:?usage: deploy/restore.sh FOLDER}
(cd "$folder" && sha256sum --check --quiet SHA256SUMS)
for dump in "$folder"/*.dump; do
  name=$(basename "$dump" .dump)
  pg_restore --dbname="$name" --no-owner --role="$name" --single-transaction --exit-on-error "$dump"
done
