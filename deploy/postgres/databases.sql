-- One role and one database a service, which nobody else may enter. Harmless to repeat; sets the passwords anew.
-- Passwords come from postgres.env: NAME_PASSWORD. A name without one is left out (bus, unless services use BUS=postgres).
\getenv identity IDENTITY_PASSWORD
\getenv customer CUSTOMER_PASSWORD
\getenv reporting REPORTING_PASSWORD
\getenv audit AUDIT_PASSWORD
\getenv notify NOTIFY_PASSWORD
\getenv console CONSOLE_PASSWORD
\set keycloak ''
\getenv keycloak KEYCLOAK_PASSWORD
\getenv bus BUS_PASSWORD

CREATE TEMP TABLE wanted AS
SELECT * FROM (VALUES
  ('identity', :'identity'),
  ('customer', :'customer'),
  ('reporting', :'reporting'),
  ('audit', :'audit'),
  ('notify', :'notify'),
  ('console', :'console'),
  ('keycloak', :'keycloak'),
  ('bus', :'bus')
) AS given (name, password) WHERE password <> '';

SELECT 'DO $$BEGIN RAISE ''postgres.env still holds placeholders''; END$$'
 WHERE EXISTS (SELECT FROM wanted WHERE password LIKE 'change-me%') \gexec

SELECT format('CREATE ROLE %I LOGIN', name) FROM wanted
 WHERE name NOT IN (SELECT rolname FROM pg_roles) \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', name, password) FROM wanted \gexec
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', name, name) FROM wanted
 WHERE name NOT IN (SELECT datname FROM pg_database) \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', name) FROM wanted \gexec
