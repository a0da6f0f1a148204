# shellcheck shell=bash
# Sourced by the scripts that need Postgres or Redis: where their programs are, and how to get them where they are not. Only
# the programs are wanted; each test starts servers of its own with scripts/private-server.

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
  if found=$(command -v postgres); then dirname "$found"; fi
  pg_config --bindir 2>/dev/null || true
  # Where Debian has them: never on PATH.
  printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV
}

servers_to_type() { # package... : the line that installs them
  if command -v brew >/dev/null; then
    echo "brew install $*"
  elif command -v dnf >/dev/null; then
    echo "sudo dnf install $*"
  else
    echo "sudo apt-get install --no-install-recommends $*"
  fi
}
