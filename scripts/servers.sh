# shellcheck shell=bash
# Sourced by the scripts that need Postgres, Redis or a browser: where their programs are, and how to get them where they are not. Only
# the programs are wanted; whoever tests starts servers of its own with scripts/private-server.
#
# Environment:
#   STEPWELL_SERVERS_PATH   the folders, separated by colons, where the programs are looked for instead of everywhere

postgres_version_min=15

postgres_folder() { # prints the folder of the newest programs at the first place that has any
  local folder version places
  places=$(postgres_places)
  while IFS= read -r folder; do
    if [ ! -x "$folder/initdb" ] || [ ! -x "$folder/postgres" ]; then continue; fi
    version=$("$folder/postgres" --version | sed 's/.*PostgreSQL) \([0-9]*\).*/\1/')
    if [ "$version" -ge "$postgres_version_min" ]; then
      echo "$folder"
      return
    fi
  done <<<"$places"
  return 1
}

postgres_places() {
  local found
  if [ -n "${STEPWELL_SERVERS_PATH:-}" ]; then
    tr : '\n' <<<"$STEPWELL_SERVERS_PATH"
    return
  fi
  if found=$(command -v postgres); then dirname "$found"; fi
  pg_config --bindir 2>/dev/null || true
  # Where Debian has them, and where Homebrew has: not on PATH.
  printf '%s\n' /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin | sort -rV
}

redis_program() (
  PATH=${STEPWELL_SERVERS_PATH:-$PATH}
  command -v redis-server
)

line_that_installs() { # package... : by their names in Debian
  local packages=$*
  if command -v brew >/dev/null; then
    packages=${packages/redis-server/redis}
    echo "brew install ${packages/postgresql/postgresql@17}"
  elif command -v dnf >/dev/null; then
    packages=${packages/redis-server/redis}
    echo "sudo dnf install ${packages/postgresql/postgresql-server}"
  else
    echo "sudo apt-get install --no-install-recommends $packages"
  fi
}

missing_servers() { # prints the packages, by their names in Debian
  postgres_folder >/dev/null || echo postgresql
  redis_program >/dev/null || echo redis-server
}

need_servers() { # installs what is missing, or says what to type
  local missing
  missing=$(missing_servers | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086 # these are words
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then (install_programs $missing) || true; fi
  missing=$(missing_servers | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  cat >&2 <<HOW
The tests start servers of their own: Postgres $postgres_version_min or later, and Redis. What is missing here comes with

    $(line_that_installs "${missing% }")

and then run this again. Nothing has to be started or configured.
HOW
  exit 1
}

missing_browser() { # prints the packages, by their names in Debian
  command -v chromium >/dev/null || echo chromium
  command -v chromedriver >/dev/null || echo chromium-driver
}

need_browser() { # installs what is missing, or says what to type
  local missing
  missing=$(missing_browser | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086 # these are words
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then (install_programs $missing) || true; fi
  missing=$(missing_browser | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  cat >&2 <<HOW
The dashboard is tested in a real browser. What is missing here comes with

    $(line_that_installs "${missing% }")

and then run this again.
HOW
  exit 1
}

# Debian starts what it installs, and makes a cluster for Postgres that would be started from then on. Both are asked not to,
# and only for as long as this lasts. In a subshell, whose end takes back what it asked for.
install_programs() { # package...
  local policy=/usr/sbin/policy-rc.d clusters=/etc/postgresql-common/createcluster.d/stepwell.conf
  export DEBIAN_FRONTEND=noninteractive
  trap 'exit 130' INT
  trap 'exit 143' TERM
  asked=()
  trap 'rm -f "${asked[@]}"' EXIT
  if [ ! -e "$policy" ]; then
    asked+=("$policy")
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  asked+=("$clusters")
  mkdir -p "$(dirname "$clusters")"
  echo 'create_main_cluster = false' >"$clusters"
  headline "Programs of the servers"
  # The list of packages may be none, or too old to be true.
  apt_install "$@" || { run apt-get -q update && apt_install "$@"; }
}

apt_install() { run apt-get -q install -y --no-install-recommends "$@" </dev/null; }
