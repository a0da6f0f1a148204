-- The bytes of a module.
-- $1 the digest.
select wasm
from modules
where digest = $1
