//! Several accounts in one server: each has its own, and none learns of another.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod holes;
#[cfg(test)]
mod model_based;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod things;
