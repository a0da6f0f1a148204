//! What the modules of a name may touch: who wants what, who granted it, and what is missing.

use super::{Dispatch, DispatchError, ModuleRef, ModuleRow, Result, bounds};
use crate::model::{Capabilities, Grant, Name, Reach, Standing};

/// What an upload does about what its module wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Granting {
    /// Nothing: what is not granted fails in the steps that use it.
    #[default]
    Leave,
    /// Everything it wants is granted before it becomes active.
    Wanted,
    /// It is refused unless everything it wants was granted before.
    Strict,
}

/// An order to grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantOrder {
    /// This, in place of what people granted before.
    These(Capabilities),
    /// All that the active module of the name wants, beside what people granted before.
    Wanted,
}

impl Dispatch {
    /// How the active module of a name stands. Where there is none, what people granted to the name may be there all the same.
    pub async fn standing(&self, name: &Name) -> Result<Standing> {
        bounds::module_name(name)?;
        let wants = self.wants_of_active(name).await?;
        let grant = self.store().grant(name).await?;
        if grant.is_none() && self.active_of(name).await?.is_none() {
            return Err(DispatchError::UnknownModule(name.to_string()));
        }
        Ok(self.stand(name, &wants, grant.as_ref(), &wants))
    }

    /// Grants something to the modules of a name. It holds for every attempt that begins a second later, on every host.
    pub async fn grant(&self, name: &Name, order: GrantOrder, by: &Name) -> Result<Standing> {
        bounds::module_name(name)?;
        let wants = self.wants_of_active(name).await?;
        loop {
            let before = self.store().grant(name).await?;
            let granted = match &order {
                GrantOrder::These(capabilities) => these(capabilities)?,
                GrantOrder::Wanted => {
                    let unknown = || DispatchError::UnknownModule(name.to_string());
                    self.active_of(name).await?.ok_or_else(unknown)?;
                    read(before.as_ref()).with(&wants)
                }
            };
            // Somebody else may have granted meanwhile: then what follows from that is decided anew.
            if let Some(grant) = self.put_grant(name, &granted, (by, before.as_ref())).await? {
                return Ok(self.stand(name, &wants, Some(&grant), &wants));
            }
        }
    }

    /// Compares what a module that is being deployed wants with what was granted, grants it if that is the order, and refuses
    /// it if that is the order.
    pub(super) async fn weigh(
        &self,
        name: &Name,
        wants: &Reach,
        granting: Granting,
        by: &Name,
    ) -> Result<Standing> {
        let before = self.wants_of_active(name).await?;
        loop {
            let grant = self.store().grant(name).await?;
            let standing = self.stand(name, wants, grant.as_ref(), &before);
            if standing.is_whole() {
                return Ok(standing);
            }
            match granting {
                Granting::Leave => return Ok(standing),
                Granting::Strict => {
                    return Err(DispatchError::NotGranted {
                        module: name.clone(),
                        standing: Box::new(standing),
                    });
                }
                Granting::Wanted => {}
            }
            let granted = read(grant.as_ref()).with(wants);
            if let Some(grant) = self.put_grant(name, &granted, (by, grant.as_ref())).await? {
                return Ok(self.stand(name, wants, Some(&grant), &before));
            }
        }
    }

    /// Nobody may grant what the policy does not allow: it would hold on other hosts and not on this one.
    /// None: somebody else has granted something since `before`.
    async fn put_grant(
        &self,
        name: &Name,
        granted: &Reach,
        (by, before): (&Name, Option<&Grant>),
    ) -> Result<Option<Grant>> {
        if let Some(allowed) = self.parts.sandbox.policy().allowed() {
            let beyond = granted.beyond(allowed);
            if !beyond.is_empty() {
                let bounds = "among what the policy of this host allows (allow)".to_owned();
                let (what, value) = ("what is to be granted", beyond.to_string());
                return Err(DispatchError::OutOfBounds { what, value, bounds });
            }
        }
        let told = granted.told();
        let by_and_seen_at = (by.as_str(), before.map(|grant| grant.at));
        let grant = self.store().put_grant(self.host(), name, &told, by_and_seen_at).await?;
        if grant.is_some() {
            tracing::info!(module = %name, by = %by, "Module {name} is granted {granted} by {by}");
        }
        Ok(grant)
    }

    fn stand(&self, name: &Name, wants: &Reach, grant: Option<&Grant>, before: &Reach) -> Standing {
        let by_people = read(grant);
        let policy = self.parts.sandbox.policy();
        let granted = policy.granted(std::slice::from_ref(name), &by_people);
        let equipment = self.parts.sandbox.equip(std::slice::from_ref(name), wants, &by_people);
        Standing {
            unprovided: equipment.unprovided().told(),
            granted_by: grant.map(|grant| grant.by.clone()),
            granted_at: grant.map(|grant| grant.at),
            ..Standing::of(wants, &granted, policy.allowed(), before)
        }
    }

    async fn wants_of_active(&self, name: &Name) -> Result<Reach> {
        let active = self.active_of(name).await?;
        Ok(active.map_or_else(Reach::default, |row| Reach::read_kept(&row.manifest.capabilities)))
    }

    async fn active_of(&self, name: &Name) -> Result<Option<ModuleRow>> {
        match self.named(&ModuleRef::Name(name.clone())).await {
            // A name may look like the first digits of another module.
            Ok(row) => Ok(Some(ModuleRow::clone(&row)).filter(|row| row.name == *name)),
            Err(DispatchError::UnknownModule(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn these(capabilities: &Capabilities) -> Result<Reach> {
    Reach::read(capabilities).map_err(|bad| DispatchError::OutOfBounds {
        what: "a capability",
        value: format!("{:?}", bad.text),
        bounds: format!("a {}: {}; {}", bad.what, bad.why, bad.example),
    })
}

fn read(grant: Option<&Grant>) -> Reach {
    grant.map_or_else(Reach::default, |grant| Reach::read_kept(&grant.granted))
}
