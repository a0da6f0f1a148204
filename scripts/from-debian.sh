# shellcheck shell=bash
# Sourced by scripts that need tools which no registry of a language has, and that have a function `cannot`: on Debian machines
# without them, packages are unpacked to target/tools/deploy, never installed.

debian_suite=trixie

from_debian() { # package path-in-it : prints where it was unpacked to; status 1 where this machine cannot
  local tools=$PWD/target/tools/deploy folder lists mirror signed_by=/usr/share/keyrings/debian-archive-keyring.gpg options tool
  folder=$tools/$1 lists=$tools/apt
  if [ ! -x "$folder/$2" ]; then
    for tool in apt-get dpkg-deb; do command -v "$tool" >/dev/null || return 1; done
    # shellcheck disable=SC2016 # apt expands these
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null \
      | awk '$1 == "Debian" && $2 !~ /-(security|updates|backports)/ {print $3; exit}')
    if [ -z "$mirror" ] || [ ! -e "$signed_by" ]; then return 1; fi
    mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial" "$folder"
    echo "deb [signed-by=$signed_by] $mirror $debian_suite main" >"$lists/sources.list"
    options=(-q -o APT::Sandbox::User=root -o "Dir::Etc::SourceList=$lists/sources.list" -o Dir::Etc::SourceParts=/dev/null
      -o "Dir::State::Lists=$lists/lists" -o "Dir::Cache=$lists/cache" -o Dir::State::status=/dev/null
      -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
      -o Acquire::IndexTargets::deb::Translations::DefaultEnabled=false)
    { apt-get "${options[@]}" update && (cd "$folder" && apt-get "${options[@]}" download "$1"); } >&2 || return 1
    dpkg-deb -x "$folder/$1"_*.deb "$folder" || return 1
    rm "$folder/$1"_*.deb
  fi
  echo "$folder/$2"
}

# shellcheck disable=SC2034 # whoever sources this uses it
get_promtool() { # -> promtool
  if command -v promtool >/dev/null; then
    promtool=promtool
  elif ! promtool=$(from_debian promtool usr/bin/promtool); then
    cannot "promtool is needed; no server. It comes with Prometheus: https://prometheus.io/download. Get it and run this again."
  fi
}
