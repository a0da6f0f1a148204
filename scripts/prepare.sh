# shellcheck shell=bash
# Sourced by the other scripts, from the root of the repository: what must be there before anything is built, and how to
# get it where it is not.

headline() { printf '\n== %s\n' "$*"; }

run() { # prints a command and runs it
  printf '\n$ %s\n' "$*"
  "$@"
}

if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-${HOME:-}/.cargo}/bin/cargo" ]; then
  PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi
if ! command -v cargo >/dev/null; then
  cat >&2 <<'HOW'
Stepwell is built with Rust, and there is no cargo here. Type

    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh

then open a new terminal and run this again.
HOW
  exit 1
fi

if ! command -v cc >/dev/null && ! command -v gcc >/dev/null && ! command -v clang >/dev/null; then
  cat >&2 <<'HOW'
A C compiler is needed: SQLite is built in, and Rust links with it. Type one of

    sudo apt-get install build-essential        (Debian, Ubuntu)
    sudo dnf install gcc                        (Fedora)
    xcode-select --install                      (macOS)

and run this again.
HOW
  exit 1
fi

# rust-toolchain.toml names a version. Where rustup has that very version under another name ("stable"), it is used as it is
# and nothing is downloaded.
use_pinned_version() {
  local pinned toolchain
  command -v rustup >/dev/null || return 0
  pinned=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
  if rustup toolchain list 2>/dev/null | grep -q "^$pinned"; then return 0; fi
  for toolchain in $(rustup toolchain list 2>/dev/null | awk '{print $1}'); do
    case $(rustup run "$toolchain" rustc -V 2>/dev/null) in
      "rustc $pinned "*) export RUSTUP_TOOLCHAIN=$toolchain; return 0 ;;
    esac
  done
}
[ -n "${RUSTUP_TOOLCHAIN:-}" ] || use_pinned_version
