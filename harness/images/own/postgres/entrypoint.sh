#!/bin/bash
# PostgreSQL, started as its official image starts it: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB,
# POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD, PGDATA, and the scripts of /docker-entrypoint-initdb.d.
set -euo pipefail

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}

refuse() {
    echo "postgres: $1" >&2
    exit 1
}

make_data_directory() {
    if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "$method" != trust ]; then
        refuse "a new data directory needs POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust"
    fi
    mkdir -p "$PGDATA" || refuse "$PGDATA cannot be made: its volume must be writable for user $(id -u)"
    chmod 700 "$PGDATA"
    # shellcheck disable=SC2086 # several arguments in one variable, as the official image has it
    initdb --pgdata="$PGDATA" --username="$user" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-}") \
        --auth-local=trust --auth-host="$method" ${POSTGRES_INITDB_ARGS:-}
    printf '\nhost all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"
    printf "\nlisten_addresses = '*'\n" >> "$PGDATA/postgresql.conf"
}

run_scripts() {
    local script
    for script in /docker-entrypoint-initdb.d/*; do
        case $script in
            *.sql) echo "postgres: runs $script"; run_sql --dbname="$database" --file="$script" ;;
            *.sql.gz) echo "postgres: runs $script"; gunzip --stdout "$script" | run_sql --dbname="$database" ;;
            *.sh) echo "postgres: runs $script"; if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
        esac
    done
}

run_sql() {
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$user" "$@"
}

fill_data_directory() {
    # A socket of its own and no port: no client takes the half-made database for a ready one.
    local sockets
    sockets=$(mktemp --directory)
    pg_ctl --pgdata="$PGDATA" --wait --silent \
        --options="-c listen_addresses='' -c unix_socket_directories='$sockets'" start
    (
        export PGHOST=$sockets PGUSER=$user PGDATABASE=$database
        if [ "$database" != postgres ]; then
            run_sql --dbname=postgres --set=name="$database" <<< 'CREATE DATABASE :"name";'
        fi
        run_scripts
    )
    pg_ctl --pgdata="$PGDATA" --wait --silent --mode=fast stop
    rmdir "$sockets"
}

asks_only() {
    local word
    for word in "$@"; do
        case $word in --help | -\? | --version | -V | --describe-config) return 0 ;; esac
    done
    return 1
}

[ "${1#-}" = "${1:-}" ] || set -- postgres "$@"
if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ] && ! asks_only "$@"; then
    make_data_directory
    fill_data_directory
fi
exec "$@"
