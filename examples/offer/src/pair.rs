//! The two services on their ports.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use anyhow::{Context, anyhow};
use axum::Router;
use cutout::Breaker;
use reqwest::Client;
use tokio::net::TcpListener;

use crate::{offers, partner};

/// Addresses of the services.
pub(crate) struct Pair {
    pub(crate) partner: SocketAddr,
    pub(crate) offers: SocketAddr,
}

/// Starts both services, which run until the process ends. Port 0 picks a free one.
pub(crate) async fn start(
    [partner, offers]: [u16; 2],
    circuit: Arc<Breaker>,
) -> anyhow::Result<Pair> {
    // Bind both before either serves, so that a taken port is reported first.
    let partner = listen(partner).await?;
    let offers = listen(offers).await?;
    let pair = Pair {
        partner: partner.local_addr()?,
        offers: offers.local_addr()?,
    };
    let partner_url = format!("http://{}", pair.partner);
    serve(partner, partner::service());
    serve(offers, offers::service(circuit, client()?, &partner_url));
    Ok(pair)
}

/// A client that reaches loopback even where the environment names a proxy.
pub(crate) fn client() -> anyhow::Result<Client> {
    Client::builder()
        .no_proxy()
        .build()
        .context("no HTTP client")
}

async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                anyhow!("port {port} is taken: {error}; choose others with --ports")
            }
            _ => anyhow!("port {port} can't be listened on: {error}"),
        })
}

fn serve(listener: TcpListener, service: Router) {
    tokio::spawn(async move { axum::serve(listener, service).await });
}
