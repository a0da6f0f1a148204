-- Keeps a module; of one that is there only the manifest is written anew, as this version reads it from the bytes.
-- $1 the digest, $2 the name, $3 its size, $4 the manifest, $5 now, $6 the bytes.
insert into modules (digest, name, size, manifest, created_at, wasm)
values ($1, $2, $3, $4, $5, $6)
on conflict (digest) do update set manifest = excluded.manifest
