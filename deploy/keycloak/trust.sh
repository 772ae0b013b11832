#!/bin/sh
# Lets the services believe the tokens of Keycloak in place of identity's, and ask each other with tokens from there:
# deploy/keycloak/trust.sh FOLDER [ISSUER]. FOLDER was made by deploy/fill_in.py. Of two lines in a file the later one
# holds, so that taking these away undoes it.
set -eu
folder=${1:?usage: deploy/keycloak/trust.sh FOLDER [ISSUER]}
issuer=${2:-$(sed -n 's/^KC_HOSTNAME=//p' "$folder/keycloak.env")/realms/kehu}
for name in customer reporting audit notify console; do
  prefix=$(echo "$name" | tr '[:lower:]' '[:upper:]')
  secret=$(sed -n "s/^KEYCLOAK_${prefix}_SERVICE_SECRET=//p" "$folder/keycloak.env")
  cat >>"$folder/$name.env" <<END

# Keycloak signs people and programs in.
${prefix}_ISSUER=$issuer
${prefix}_AUDIENCE=kehu
${prefix}_TOKEN_TYPE=JWT
${prefix}_CLAIM_NAME=preferred_username
${prefix}_CLAIM_ROLES=realm_access.roles
${prefix}_CLAIM_UNIT=unit
${prefix}_CLAIM_CLIENT=client_id
${prefix}_SERVICE_CLIENT=$name-service
${prefix}_SERVICE_SECRET=$secret
END
done
echo "CONSOLE_ACCOUNT_URL=$issuer/account" >>"$folder/console.env"
