/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.c - what nDPI or a host name says -> the agent's names and numbers.
 */
#include "names.h"

#include <netinet/in.h>
#include <ndpi/ndpi_api.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define NO_NDPI 0

static const struct application {
	struct name name;
	uint16_t ndpi;
	const char *domains; /* separated by spaces */
} applications[] = {
	{{0, "Unknown", 0}, NO_NDPI, ""},
	{{133, "netify.netflix", 29},
	 NDPI_PROTOCOL_NETFLIX,
	 "netflix.com nflxvideo.net nflximg.net"},
	{{124, "netify.youtube", 29},
	 NDPI_PROTOCOL_YOUTUBE,
	 "youtube.com googlevideo.com ytimg.com"},
	{{195, "netify.twitch", 29}, NDPI_PROTOCOL_TWITCH, "twitch.tv"},
	{{156, "netify.spotify", 29}, NDPI_PROTOCOL_SPOTIFY, "spotify.com"},
	{{119, "netify.facebook", 24},
	 NDPI_PROTOCOL_FACEBOOK,
	 "facebook.com fbcdn.net"},
	{{201, "netify.instagram", 24},
	 NDPI_PROTOCOL_INSTAGRAM,
	 "instagram.com cdninstagram.com"},
	{{10302, "netify.tiktok", 24},
	 NDPI_PROTOCOL_TIKTOK,
	 "tiktok.com tiktokcdn.com"},
	{{10010, "netify.reddit", 24}, NO_NDPI, "reddit.com"},
	{{10287, "netify.discord", 17},
	 NDPI_PROTOCOL_DISCORD,
	 "discord.com discord.gg"},
	{{10227, "netify.slack", 17}, NDPI_PROTOCOL_SLACK, "slack.com"},
	{{189, "netify.zoom", 32}, NDPI_PROTOCOL_ZOOM, "zoom.us"},
	{{10039, "netify.roblox", 12}, NO_NDPI, "roblox.com rbxcdn.com"},
	{{10425, "netify.xbox-live", 12}, NDPI_PROTOCOL_XBOX, "xboxlive.com"},
	{{10637, "netify.khan-academy", 6}, NO_NDPI, "khanacademy.org"},
	{{176, "netify.wikipedia", 21},
	 NDPI_PROTOCOL_WIKIPEDIA,
	 "wikipedia.org"},
	{{147, "netify.windows-update", 31},
	 NDPI_PROTOCOL_WINDOWS_UPDATE,
	 "windowsupdate.com update.microsoft.com"},
	{{121, "netify.dropbox", 10},
	 NDPI_PROTOCOL_DROPBOX,
	 "dropbox.com dropboxusercontent.com"},
	{{10698, "netify.goto", 34}, NO_NDPI, "gotomypc.com"},
	{{10225, "netify.softether", 28}, NO_NDPI, "softether.net"},
	{{10002, "netify.github", 27}, NDPI_PROTOCOL_GITHUB, "github.com"},
};

static const struct protocol {
	struct name name;
	uint16_t ndpi;
} protocols[] = {
	{{0, "Unknown", 0}, NDPI_PROTOCOL_UNKNOWN},
	{{196, "HTTP/S", 22}, NDPI_PROTOCOL_TLS},
	{{91, "TLS", 9}, NO_NDPI}, /* not on a web port */
	{{7, "HTTP", 22}, NDPI_PROTOCOL_HTTP},
	{{188, "QUIC", 22}, NDPI_PROTOCOL_QUIC},
	{{5, "DNS", 14}, NDPI_PROTOCOL_DNS},
	{{8, "MDNS", 14}, NDPI_PROTOCOL_MDNS},
	{{154, "LLMNR", 14}, NDPI_PROTOCOL_LLMNR},
	{{9, "NTP", 14}, NDPI_PROTOCOL_NTP},
	{{12, "SSDP", 14}, NDPI_PROTOCOL_SSDP},
	{{18, "DHCP", 14}, NDPI_PROTOCOL_DHCP},
	{{103, "DHCPv6", 14}, NDPI_PROTOCOL_DHCPV6},
	{{92, "SSH", 9}, NDPI_PROTOCOL_SSH},
	{{88, "RDP", 18}, NDPI_PROTOCOL_RDP},
	{{89, "VNC", 18}, NDPI_PROTOCOL_VNC},
	{{37, "BitTorrent", 5}, NDPI_PROTOCOL_BITTORRENT},
	{{100, "SIP", 20}, NDPI_PROTOCOL_SIP},
	{{87, "RTP", 12}, NDPI_PROTOCOL_RTP},
	{{78, "STUN", 9}, NDPI_PROTOCOL_STUN},
	{{244, "DTLS", 9}, NDPI_PROTOCOL_DTLS},
	{{159, "OpenVPN", 21}, NDPI_PROTOCOL_OPENVPN},
	{{206, "WireGuard", 21}, NDPI_PROTOCOL_WIREGUARD},
	{{81, "ICMP", 0}, NDPI_PROTOCOL_IP_ICMP},
	{{102, "ICMPv6", 0}, NDPI_PROTOCOL_IP_ICMPV6},
	{{82, "IGMP", 14}, NDPI_PROTOCOL_IP_IGMP},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define TLS_NAME     (&protocols[2].name)

/* host is one of the domains, or below one */
static bool host_in(const char *host, const char *domains)
{
	size_t len = strlen(host);

	while (*domains) {
		size_t n = strcspn(domains, " ");

		if (n && n <= len && !strncasecmp(host + len - n, domains, n) &&
		    (n == len || host[len - n - 1] == '.'))
			return true;
		domains += n + (domains[n] == ' ');
	}
	return false;
}

const struct name *name_application(const char *host, uint16_t ndpi_id)
{
	for (size_t i = 0; i < COUNT(applications); i++)
		if (host_in(host, applications[i].domains))
			return &applications[i].name;
	for (size_t i = 0; i < COUNT(applications); i++)
		if (ndpi_id && applications[i].ndpi == ndpi_id)
			return &applications[i].name;
	return &applications[0].name;
}

static uint16_t by_ip_protocol(uint8_t ip_protocol)
{
	switch (ip_protocol) {
	case IPPROTO_ICMP:
		return NDPI_PROTOCOL_IP_ICMP;
	case IPPROTO_ICMPV6:
		return NDPI_PROTOCOL_IP_ICMPV6;
	case IPPROTO_IGMP:
		return NDPI_PROTOCOL_IP_IGMP;
	default:
		return NDPI_PROTOCOL_UNKNOWN;
	}
}

const struct name *name_protocol(uint16_t ndpi_id, uint8_t ip_protocol,
				 uint16_t port)
{
	if (!ndpi_id)
		ndpi_id = by_ip_protocol(ip_protocol);
	if (ndpi_id == NDPI_PROTOCOL_TLS && port != 443 && port != 8443)
		return TLS_NAME;
	for (size_t i = 0; i < COUNT(protocols); i++)
		if (ndpi_id && protocols[i].ndpi == ndpi_id)
			return &protocols[i].name;
	return &protocols[0].name;
}

const struct name *name_application_at(size_t n)
{
	return n < COUNT(applications) ? &applications[n].name : NULL;
}

const struct name *name_protocol_at(size_t n)
{
	return n < COUNT(protocols) ? &protocols[n].name : NULL;
}
