# shellcheck shell=bash
# Sourced by scripts that need a host of their own: `stepwell serve` on an embedded SQLite file in a temporary folder, on a
# free port. Whatever way the script ends, the host ends and the folder goes.

stepwell=${CARGO_TARGET_DIR:-$PWD/target}/debug/stepwell
host_pid=
host_options=()
host_folder=$(mktemp -d "${TMPDIR:-/tmp}/stepwell.XXXXXX")

clear_away() {
  [ -z "$host_pid" ] || kill_host 2>/dev/null || true
  rm -rf "$host_folder"
}
trap clear_away EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}

host_port=$(free_port)
export STEPWELL_SERVER=http://127.0.0.1:$host_port

start_host() { # and waits until it answers
  local tries
  [ ${#host_options[@]} -gt 0 ] || host_options=(--data "$host_folder/data")
  "$stepwell" serve --listen "127.0.0.1:$host_port" "${host_options[@]}" >>"$host_folder/host.log" 2>&1 &
  host_pid=$!
  for ((tries = 0; tries < 300; tries++)); do
    if "$stepwell" list >/dev/null 2>&1; then return 0; fi
    kill -0 "$host_pid" 2>/dev/null || break
    sleep 0.1
  done
  printf 'The host did not start. The end of its log:\n\n' >&2
  tail -n 20 "$host_folder/host.log" >&2
  return 1
}

kill_host() { # kill -9, and waits until it is gone
  kill -9 "$host_pid"
  wait "$host_pid" 2>/dev/null || true # the shell reports its death here, where nobody listens
  host_pid=
}
